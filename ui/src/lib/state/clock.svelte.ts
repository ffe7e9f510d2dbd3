// The present, in whole seconds since 1970. Seconds tick in the status bar and nowhere else; charts use `minute`.

class Clock {
	now = $state(Math.floor(Date.now() / 1000));
	minute = $derived(this.now - (this.now % 60));

	start(): () => void {
		let timer: ReturnType<typeof setInterval> | undefined;
		const tick = () => {
			this.now = Math.floor(Date.now() / 1000);
		};
		// Nobody sees it while the window is hidden; it would wake the web process each second for nothing.
		const follow = () => {
			clearInterval(timer);
			if (document.hidden) return;
			tick();
			timer = setInterval(tick, 1000);
		};
		follow();
		document.addEventListener("visibilitychange", follow);
		return () => {
			clearInterval(timer);
			document.removeEventListener("visibilitychange", follow);
		};
	}
}

export const clock = new Clock();
