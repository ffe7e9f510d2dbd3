// @vitest-environment happy-dom
import { beforeEach, expect, test, vi } from "vitest";
import { type Backend, useBackend } from "../backend";
import { createFake, type Fake } from "../backend/fake";
import { app } from "./app.svelte";
import { importer } from "./importer.svelte";
import { selection } from "./route.svelte";
import { saveTable } from "./save.svelte";
import { toasts } from "./toasts.svelte";

let fake: Fake;

/** Answers of a command that arrive when a test says so. */
function held(command: "topicList" | "datasetList" | "settingsSet") {
	const real = fake.commands[command] as (...args: unknown[]) => Promise<never>;
	const waiting: (() => void)[] = [];
	fake.commands[command] = (async (...args: unknown[]) => {
		const answer = await real(...args);
		await new Promise<void>((go) => waiting.push(go));
		return answer;
	}) as never;
	return waiting;
}

beforeEach(async () => {
	selection.dataset = null;
	selection.topic = null;
	toasts.list = [];
	importer.clear();
	fake = createFake({ now: () => 1_795_353_600 });
	useBackend(fake);
	await app.start();
});

test("a slow answer about the former dataset does not take the place of the new one's", async () => {
	await fake.commands.datasetImportSample();
	await app.loadDatasets();
	const waiting = held("topicList");
	app.chooseDataset("metro");
	app.chooseDataset("sample");
	await vi.waitFor(() => expect(waiting).toHaveLength(2));
	waiting[1]!();
	await vi.waitFor(() => expect(app.topics.every((t) => !t.coverage?.votes)).toBe(true));
	waiting[0]!();
	await new Promise((done) => setTimeout(done));
	expect(app.topics.every((t) => !t.coverage?.votes)).toBe(true);
});

test("a slow list of datasets does not take the place of a newer one", async () => {
	const waiting = held("datasetList");
	const old = app.loadDatasets();
	await fake.commands.datasetImportSample();
	const fresh = app.loadDatasets();
	await vi.waitFor(() => expect(waiting).toHaveLength(2));
	waiting[1]!();
	await fresh;
	waiting[0]!();
	await old;
	expect(app.datasets.map((d) => d.dataset)).toContain("sample");
});

test("changes made in one breath are all kept, and none waits to be seen", async () => {
	const both = [
		app.saveSettings({ notifications: { runDone: false } }),
		app.saveSettings({ notifications: { batchFailed: false } }),
		app.saveSettings({ zoomPercent: 125 }),
	];
	expect(app.settings?.zoomPercent).toBe(125);
	expect(await Promise.all(both)).toEqual([null, null, null]);
	const kept = await fake.commands.settingsGet();
	if (kept.status !== "ok") throw new Error("the settings can be read");
	expect(kept.data.notifications).toMatchObject({ runDone: false, batchFailed: false, needsYou: true });
	expect([kept.data.zoomPercent, app.settings]).toEqual([125, kept.data]);
});

test("what is refused is shown as it was, and what came after it is kept", async () => {
	fake.failNext("settingsSet", "internal", "The entry at login could not be written.");
	const refused = app.saveSettings({ startAtLogin: true });
	const taken = app.saveSettings({ letterKeys: false });
	expect(app.settings?.startAtLogin).toBe(true);
	expect((await refused)?.message).toContain("could not be written");
	expect(await taken).toBeNull();
	expect([app.settings?.startAtLogin, app.settings?.letterKeys]).toEqual([false, false]);
});

test("a setting that something else has written meanwhile stays", async () => {
	await fake.commands.providerSet("custom", "http://127.0.0.1:9/v1");
	await app.saveSettings({ letterKeys: false });
	expect(app.settings?.customUrl).toBe("http://127.0.0.1:9/v1");
});

test("a file dialog that cannot be opened is said", async () => {
	const gone = () => Promise.reject(new Error("no portal"));
	useBackend({ ...fake, pickFile: gone, pickSave: gone } satisfies Backend);
	await importer.choose();
	expect(importer.error?.detail ?? importer.error?.message).toContain("no portal");
	await saveTable("runs", { head: ["a"], rows: [] });
	expect(toasts.list[0]?.error).toBeDefined();
});
