// Light or dark on <html>. "System" is resolved here, at start and on change.

import { app } from "./app.svelte";

/** To be called while a component is set up. */
export function followTheme(): void {
	const system = window.matchMedia("(prefers-color-scheme: dark)");
	let dark = $state(system.matches);
	$effect(() => {
		const heard = () => {
			dark = system.matches;
		};
		system.addEventListener("change", heard);
		return () => system.removeEventListener("change", heard);
	});
	$effect(() => {
		// Until the settings are known it stays as the window was made.
		const theme = app.settings?.theme;
		if (!theme) return;
		document.documentElement.dataset.theme = theme === "system" ? (dark ? "dark" : "light") : theme;
	});
}
