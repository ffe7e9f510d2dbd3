// The present, in whole seconds since 1970. Seconds tick in the status bar and nowhere else; charts use `minute`.

class Clock {
	now = $state(Math.floor(Date.now() / 1000));
	minute = $derived(this.now - (this.now % 60));

	start(): () => void {
		const timer = setInterval(() => {
			this.now = Math.floor(Date.now() / 1000);
		}, 1000);
		return () => clearInterval(timer);
	}
}

export const clock = new Clock();
