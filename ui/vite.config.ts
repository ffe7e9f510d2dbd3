import { svelte } from "@sveltejs/vite-plugin-svelte";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** The fonts come with the app: text waits the few milliseconds for its own, and is laid out once. */
const fontsAtOnce: Plugin = {
	name: "fonts-at-once",
	enforce: "pre",
	transform: (code, id) =>
		id.includes("@fontsource-variable") && id.endsWith(".css")
			? code.replaceAll("font-display: swap", "font-display: block")
			: null,
};

export default defineConfig({
	plugins: [fontsAtOnce, svelte()],
	clearScreen: false,
	server: { port: 5173, strictPort: true, host: "127.0.0.1" },
	build: {
		target: "safari16",
		// The content security policy allows no data: addresses, so nothing may be inlined.
		assetsInlineLimit: 0,
		modulePreload: { polyfill: false },
		reportCompressedSize: false,
	},
	// Component tests run the browser half of Svelte.
	resolve: process.env.VITEST ? { conditions: ["browser"] } : {},
	test: {
		environment: "happy-dom",
		include: ["src/**/*.test.ts"],
		setupFiles: ["src/test-setup.ts"],
		// Whole pages are drawn; a busy machine takes its time.
		testTimeout: 30_000,
		// Style sheets are empty in tests, but for the one that charts read.
		css: { include: [/tokens\.css/] },
	},
});
