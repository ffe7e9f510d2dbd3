import "@fontsource-variable/inter/index.css";
import "@fontsource-variable/jetbrains-mono/index.css";
import "./app.css";
import { mount } from "svelte";
import App from "./App.svelte";
import { useBackend } from "./lib/backend";

// Not awaited at the top: the fake imports modules of this very chunk, and WebKit would wait for itself.
async function start(): Promise<void> {
	// Inside the app there is always a program behind the window. A plain browser gets the fake: in development, and in builds made for it.
	if (import.meta.env.VITE_BACKEND === "fake" || (import.meta.env.DEV && !("__TAURI_INTERNALS__" in window))) {
		const { fakeOfAddress } = await import("./lib/backend/fake/address");
		useBackend(fakeOfAddress(new URLSearchParams(location.search)));
	}
	const target = document.getElementById("app");
	if (!target) throw new Error("index.html has no element #app");
	mount(App, { target });
}

void start();
