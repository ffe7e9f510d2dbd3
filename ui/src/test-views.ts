// Opens a page over a fake program, for component tests.

import { render, screen } from "@testing-library/svelte";
import App from "./App.svelte";
import { useBackend } from "./lib/backend";
import { createFake, type Fake, type FakeOptions } from "./lib/backend/fake";
import { app } from "./lib/state/app.svelte";
import { business } from "./lib/state/business.svelte";
import { catalog } from "./lib/state/catalog.svelte";
import { compare } from "./lib/state/compare.svelte";
import { extraction } from "./lib/state/extraction.svelte";
import { importer } from "./lib/state/importer.svelte";
import { queue } from "./lib/state/queue.svelte";
import { results } from "./lib/state/results.svelte";
import { selection } from "./lib/state/route.svelte";
import { runs } from "./lib/state/runs.svelte";
import { toasts } from "./lib/state/toasts.svelte";
import { trust } from "./lib/state/trust.svelte";
import { undo } from "./lib/state/undo.svelte";
import { whatif } from "./lib/state/whatif.svelte";

/** A clock that tests move by hand. */
export class TestClock {
	now = 1_795_353_600;
	read = () => this.now;
}

/** State outlives a window in the same file of tests; each test begins without any. */
export function forget(): void {
	selection.dataset = null;
	selection.topic = null;
	selection.variant = "V3";
	selection.k = 25;
	selection.compare = false;
	extraction.forget();
	catalog.forget();
	importer.clear();
	importer.open = false;
	results.look = "verdicts";
	compare.before = { variant: "V2", k: 0 };
	compare.after = { variant: "V3", k: 0 };
	results.forget();
	compare.forget();
	business.forget();
	queue.forget();
	queue.order = "verdicts";
	whatif.forget();
	undo.forget();
	toasts.list = [];
	trust.forget();
	runs.list = null;
	runs.detail = null;
	app.forget();
}

export async function openApp(options: FakeOptions = {}): Promise<Fake> {
	forget();
	const fake = createFake({ now: new TestClock().read, ...options });
	useBackend(fake);
	render(App);
	await screen.findByTestId("status");
	return fake;
}

/** From now on the command answers only once it is let go. */
export function hold(fake: Fake, command: keyof Fake["commands"]): () => void {
	const commands = fake.commands as Record<string, (...args: unknown[]) => Promise<unknown>>;
	const answer = commands[command]!;
	let go = () => {};
	const released = new Promise<void>((done) => {
		go = done;
	});
	commands[command] = async (...args) => {
		const result = await answer(...args);
		await released;
		return result;
	};
	return () => {
		commands[command] = answer;
		go();
	};
}

/** The text of an element, with runs of white space as one space. */
export const textOf = (testid: string): string =>
	(screen.getByTestId(testid).textContent ?? "").replace(/\s+/g, " ").trim();
