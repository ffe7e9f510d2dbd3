import { fireEvent, screen, waitFor } from "@testing-library/svelte";
import { describe, expect, test } from "vitest";
import { activity } from "./lib/backend/fake/story";
import { selection } from "./lib/state/route.svelte";
import { hold, openApp, TestClock, textOf } from "./test-views";

const go = (page: string) => fireEvent.click(screen.getByTestId(`nav-${page}`));
const type = (testid: string, value: string) => fireEvent.input(screen.getByTestId(testid), { target: { value } });
const key = (init: KeyboardEventInit) => fireEvent.keyDown(window, init);

describe("first run", () => {
	test("a file that is no dataset is refused with what is safe and the line", async () => {
		await openApp({ scenario: "empty" });
		await type("import-path", "/tmp/notes.txt");
		await fireEvent.click(screen.getByTestId("import-submit"));
		const error = await screen.findByTestId("error");
		expect(error.dataset.code).toBe("fileFormat");
		expect(error.textContent).toContain("Nothing was imported.");
		expect(textOf("error-detail")).toContain("line 1");
	});

	test("a typed path is imported, and what was skipped is listed with its line", async () => {
		const fake = await openApp({ scenario: "empty" });
		await type("import-path", "/data/broken.jsonl");
		await fireEvent.click(screen.getByTestId("import-submit"));
		await screen.findByTestId("import-report");
		expect(textOf("import-report")).toContain("40 businesses, 1,000 reviews, 2 skipped");
		expect(textOf("import-report")).toContain("Line 17");
		expect(fake.calls.find((c) => c.command === "datasetImport")?.args).toEqual(["/data/broken.jsonl", null]);
		await fireEvent.click(screen.getByTestId("import-done"));
		expect(screen.getByTestId("page-extraction")).toBeTruthy();
	});

	test("a file dropped on the window is imported", async () => {
		const fake = await openApp({ scenario: "empty" });
		fake.drop({ kind: "over" });
		await screen.findByText("Drop to import");
		fake.drop({ kind: "dropped", paths: ["/data/yelp.jsonl"] });
		await screen.findByTestId("import-report");
		expect(screen.queryByText("Drop to import")).toBeNull();
		expect(textOf("import-report")).toContain("yelp imported");
	});

	test("a file dropped while another is imported is not taken for that one", async () => {
		const fake = await openApp({ scenario: "empty" });
		const release = hold(fake, "datasetImport");
		fake.drop({ kind: "dropped", paths: ["/data/first.jsonl"] });
		await waitFor(() => expect(screen.getByTestId<HTMLInputElement>("import-path").value).toBe("/data/first.jsonl"));
		fake.drop({ kind: "dropped", paths: ["/data/second.jsonl"] });
		expect((await screen.findByTestId("toast")).textContent).toContain("/data/second.jsonl is not imported");
		expect(screen.getByTestId<HTMLInputElement>("import-path").value).toBe("/data/first.jsonl");
		release();
		await screen.findByTestId("import-report");
		expect(textOf("import-report")).toContain("first imported");
		expect(fake.calls.filter((c) => c.command === "datasetImport")).toHaveLength(1);
	});

	test("the sample opens in the sandbox", async () => {
		const fake = await openApp({ scenario: "empty" });
		await fireEvent.click(screen.getByTestId("open-sample"));
		await screen.findByTestId("page-extraction");
		expect(fake.calls.map((c) => c.command)).toContain("sandboxUse");
		expect(textOf("sandbox-badge")).toBe("Sandbox: invented answers, no cost");
	});

	test("data that cannot be opened is said, and nothing else is shown", async () => {
		const { createFake } = await import("./lib/backend/fake");
		const { useBackend } = await import("./lib/backend");
		const { render } = await import("@testing-library/svelte");
		const { default: App } = await import("./App.svelte");
		const { forget } = await import("./test-views");
		forget();
		const fake = createFake({ now: new TestClock().read });
		fake.failNext("appState", "storeLocked", "Another Quorum has this data open.");
		useBackend(fake);
		render(App);
		expect((await screen.findByTestId("start-failed")).textContent).toContain("Another Quorum has this data open.");
		await fireEvent.click(screen.getByText("Try again"));
		await screen.findByTestId("status");
	});
});

test("a window that cannot hear the program says so, and another try is whole", async () => {
	const { createFake } = await import("./lib/backend/fake");
	const { useBackend } = await import("./lib/backend");
	const { render } = await import("@testing-library/svelte");
	const { default: App } = await import("./App.svelte");
	const { forget } = await import("./test-views");
	forget();
	const fake = createFake({ now: new TestClock().read });
	let deaf = true;
	useBackend({
		...fake,
		listen: (event, heard) => (deaf ? Promise.reject(new Error("not allowed")) : fake.listen(event, heard)),
	});
	render(App);
	expect((await screen.findByTestId("start-failed")).textContent).toContain("not allowed");
	deaf = false;
	await fireEvent.click(screen.getByText("Try again"));
	await screen.findByTestId("status");
	fake.request({ page: "settings", run: null });
	await screen.findByTestId("page-settings");
});

describe("runs", () => {
	test("are grouped, and the live one shows its batches and failures by cause", async () => {
		await openApp();
		await go("runs");
		await screen.findByTestId("run-detail");
		expect(screen.getAllByTestId("batch").map((b) => b.dataset.state)).toEqual([
			"ingested",
			"ingested",
			"ingested",
			"inProgress",
			"waiting",
			"waiting",
		]);
		expect(textOf("failures")).toContain("No answer within the provider's time limit");
		expect(textOf("failure-refused")).toContain("would fail again");
		expect(textOf("retry-all")).toContain("Retry all 38");
	});

	test("a run goes from sent to done, and its votes open as verdicts", async () => {
		const clock = new TestClock();
		const fake = await openApp({ scenario: "sandbox", now: clock.read, batchSeconds: 10 });
		await go("extraction");
		await waitFor(() => expect(textOf("send")).toContain("Send 1,200 requests"));
		await fireEvent.click(screen.getByTestId("send"));
		await fireEvent.click(screen.getByTestId("confirm-send"));
		await screen.findByTestId("run-detail");
		clock.now += 6;
		fake.look();
		await waitFor(() => expect(screen.getAllByTestId("batch")[0]?.dataset.state).toBe("inProgress"));
		clock.now += 20;
		fake.look();
		await waitFor(() => expect(screen.getByTestId("run-detail").dataset.state).toBe("done"));
		expect(textOf("votes-stored")).toBe("1,200 votes stored");
		await fireEvent.click(screen.getByTestId("open-results"));
		expect((await screen.findAllByTestId("results-row")).length).toBe(12);
		expect(screen.queryByTestId("provisional")).toBeNull();
	});

	test("cancelling says what is paid and asks first", async () => {
		const fake = await openApp();
		await go("runs");
		await screen.findByTestId("run-detail");
		await fireEvent.click(screen.getByTestId("cancel"));
		expect(textOf("cancel-dialog")).toContain("$2.38 is charged so far");
		await fireEvent.click(screen.getByTestId("cancel-keep"));
		expect(fake.calls.some((c) => c.command === "runCancel")).toBe(false);
		await fireEvent.click(screen.getByTestId("cancel"));
		await fireEvent.click(screen.getByTestId("cancel-confirm"));
		await waitFor(() => expect(screen.getByTestId("run-detail").dataset.state).toBe("cancelled"));
	});

	test("pause and resume", async () => {
		await openApp();
		await go("runs");
		await screen.findByTestId("run-detail");
		await fireEvent.click(screen.getByTestId("pause"));
		await screen.findByTestId("resume");
		await fireEvent.click(screen.getByTestId("resume"));
		await screen.findByTestId("pause");
	});

	test("offline is a condition: a banner, the old figures, and what needs the network is disabled", async () => {
		await openApp({ scenario: "offline" });
		await go("runs");
		await screen.findByTestId("offline-banner");
		expect(screen.getByTestId<HTMLButtonElement>("cancel").disabled).toBe(true);
		expect(screen.getByTestId<HTMLButtonElement>("retry-all").disabled).toBe(true);
		expect(textOf("connection")).toContain("Offline since");
		expect(textOf("last-checked")).toContain("tries again");
	});

	test("none yet says what to do", async () => {
		await openApp({ scenario: "sandbox" });
		await go("runs");
		expect(textOf("runs-empty")).toContain("No runs yet");
	});
});

describe("results", () => {
	const rows = () => screen.getAllByTestId("results-row");
	const scores = () =>
		rows().map((r) => Number(r.querySelector('[data-testid="verdict-G1_allergy_V3"] .pt')?.firstChild?.textContent));

	async function results() {
		await openApp();
		await go("results");
		await screen.findAllByTestId("results-row");
	}

	test("the worst stands first, a click on a head turns the order round", async () => {
		await results();
		expect(scores()[0]).toBe(Math.max(...scores()));
		await fireEvent.click(screen.getByTestId("sort-V3"));
		expect(scores()[0]).toBe(Math.min(...scores()));
	});

	test("only rows near the view exist", async () => {
		await results();
		expect(rows().length).toBeLessThan(100);
	});

	test("a segment filters, no match keeps the filters in view", async () => {
		await results();
		const segment = screen.getByTestId("dist-V3").querySelector("button")!;
		const n = Number(/: (\d+)/.exec(segment.getAttribute("aria-label") ?? "")?.[1]);
		await fireEvent.click(segment);
		expect(textOf("rows-shown")).toBe(`${n} of 100`);
		await type("results-search", "no such place");
		expect(screen.getByTestId("no-match")).toBeTruthy();
		await fireEvent.click(screen.getByTestId("filter-clear"));
		expect(rows().length).toBeGreaterThan(n > 0 ? 1 : 0);
	});

	test("comparing shows what moved", async () => {
		await results();
		await fireEvent.click(screen.getByTestId("results-k-50").querySelector("input")!);
		await fireEvent.click(await screen.findByTestId("compare"));
		await screen.findByTestId("filter-moved");
		const moved = Number(/· (\d+)$/.exec(textOf("filter-moved"))?.[1]);
		expect(moved).toBeGreaterThan(0);
		await fireEvent.click(screen.getByTestId("filter-moved"));
		expect(textOf("rows-shown")).toBe(`${moved} of 100`);
	});

	test("missing votes are stated, a topic without votes offers to ask", async () => {
		await results();
		expect(textOf("provisional")).toContain("3 reviews lack a vote");
		await fireEvent.change(screen.getByTestId("results-topic"), { target: { value: "G4_server" } });
		await screen.findByTestId("results-none");
		await fireEvent.click(screen.getByTestId("ask"));
		await waitFor(() => expect(textOf("topics-chosen")).toBe("1 of 18"));
		expect(screen.getByTestId("topic-G4_server").querySelector("input")?.checked).toBe(true);
	});

	test("a failure says what is safe and offers another try", async () => {
		await openApp({ scenario: "failing" });
		await go("results");
		const error = await screen.findByTestId("error");
		expect(error.textContent).toContain("all other topics are untouched");
		expect(error.textContent).toContain("Try again");
	});

	test("export names the files", async () => {
		await results();
		await fireEvent.click(screen.getByTestId("export"));
		await type("export-dir", "/out");
		await fireEvent.click(screen.getByTestId("export-write"));
		expect((await screen.findByTestId("export-report")).textContent).toContain("G1_allergy_V3_K50_groundtruth.json");
	});
});

describe("a business", () => {
	async function business() {
		await openApp();
		await go("results");
		await fireEvent.click((await screen.findAllByTestId("results-row"))[0]!);
		await screen.findByTestId("waterfall");
	}

	test("its score is the sum of its steps", async () => {
		await business();
		const steps = [...screen.getByTestId("waterfall").querySelectorAll(".rw:not(.sum):not(.ax) > .r.b")].map((e) =>
			Number((e.textContent ?? "").replace("−", "-").replace("+", "")),
		);
		expect(steps.length).toBeGreaterThan(0);
		expect(steps.reduce((a, b) => a + b, 0)).toBe(Number(textOf("score")));
	});

	test("rules show which condition held", async () => {
		await business();
		await fireEvent.click(screen.getByTestId("tab-V0"));
		await screen.findByTestId("rules");
		expect(screen.getAllByTestId("rule").filter((r) => r.dataset.matched === "true")).toHaveLength(1);
	});

	test("review text is text, whatever it holds", async () => {
		await business();
		await fireEvent.click(screen.getByTestId("all-reviews"));
		const nasty = screen.getAllByTestId("review-row").find((r) => r.textContent?.includes("<script>"))!;
		await fireEvent.click(nasty);
		await waitFor(() => expect(textOf("review-text")).toContain('<script>alert("no")</script>'));
		expect(screen.getByTestId("review-text").querySelector("script, b")).toBeNull();
		expect(screen.getByTestId("review-text").getAttribute("dir")).toBe("auto");
	});

	test("Esc goes back to the table", async () => {
		await business();
		await key({ key: "Escape" });
		expect(screen.getByTestId("page-results")).toBeTruthy();
	});
});

describe("settings", () => {
	test("a refused key changes nothing and shows the provider's words", async () => {
		await openApp();
		await go("settings");
		await fireEvent.click(screen.getByTestId("key-replace"));
		await type("key-input", "sk-wrong");
		await fireEvent.click(screen.getByTestId("key-save"));
		expect((await screen.findByTestId("error")).dataset.code).toBe("keyRefused");
		expect(textOf("error-detail")).toContain("invalid_api_key");
		await type("key-input", "sk-proj-abcdefgh1234");
		await fireEvent.click(screen.getByTestId("key-save"));
		await waitFor(() => expect(textOf("key-hint")).toBe("sk-proj-…1234"));
		expect(document.body.innerHTML).not.toContain("abcdefgh");
	});

	test("what is changed is saved at once, what is out of bounds is not", async () => {
		const fake = await openApp();
		await go("settings");
		const saves = () => fake.calls.filter((c) => c.command === "settingsSet").length;
		await fireEvent.click(screen.getByTestId("notify-done"));
		await screen.findByTestId("saved");
		expect(saves()).toBe(1);
		const field = screen.getByTestId("batch-size");
		await fireEvent.input(field, { target: { value: "60000" } });
		await fireEvent.change(field);
		expect(field.getAttribute("aria-invalid")).toBe("true");
		expect(saves()).toBe(1);
		await fireEvent.input(field, { target: { value: "20000" } });
		await fireEvent.change(field);
		await waitFor(() => expect(saves()).toBe(2));
	});

	test("a switch that could not be saved goes back, and the reason is in view", async () => {
		const fake = await openApp();
		await go("settings");
		fake.failNext("settingsSet", "internal", "The entry at login could not be written.");
		await fireEvent.click(screen.getByTestId("start-at-login"));
		expect((await screen.findByTestId("settings-error")).textContent).toContain("could not be written");
		expect(screen.getByTestId<HTMLInputElement>("start-at-login").checked).toBe(false);
		expect(screen.getByTestId("settings-error").closest(".scroll")).toBeNull();
	});

	test("a dataset is removed after asking, and a live run protects its own", async () => {
		const fake = await openApp();
		await go("settings");
		await fireEvent.click(screen.getByTestId("dataset-remove"));
		await fireEvent.click(screen.getByTestId("remove-confirm"));
		expect((await screen.findByTestId("error")).dataset.code).toBe("datasetInUse");
		await fake.commands.runCancel("run-0009");
		await fireEvent.click(screen.getByTestId("remove-confirm"));
		await waitFor(() => expect(screen.queryByTestId("dataset-row")).toBeNull());
	});

	test("a removed dataset comes back by Ctrl Z, by the status bar, and from the list of removed ones", async () => {
		const fake = await openApp({ scenario: "sandbox" });
		await go("settings");
		const remove = async () => {
			await fireEvent.click(screen.getByTestId("dataset-remove"));
			await fireEvent.click(screen.getByTestId("remove-confirm"));
			await waitFor(() => expect(screen.queryByTestId("dataset-row")).toBeNull());
			expect(textOf("undo-bar")).toContain("Sample dining removed");
		};
		const back = () => waitFor(() => expect(textOf("dataset-row")).toContain("Sample dining"));
		await remove();
		await go("runs");
		await key({ key: "z", ctrlKey: true });
		await go("settings");
		await back();
		const undone = () => waitFor(() => expect(screen.queryByTestId("undo-bar")).toBeNull());
		await undone();
		await remove();
		fake.failNext("datasetRestore", "diskFull", "The disk is full.");
		await fireEvent.click(screen.getByTestId("undo"));
		await waitFor(() => expect(screen.getByTestId("error").dataset.code).toBe("diskFull"));
		await fireEvent.click(screen.getByTestId("undo"));
		await back();
		await undone();
		await remove();
		await waitFor(() => expect(textOf("removed-row")).toContain("300 reviews, kept until"));
		await fireEvent.click(screen.getByTestId("dataset-restore"));
		await back();
		await waitFor(() => expect(screen.queryByTestId("removed-row")).toBeNull());
		await undone();
	});

	test("the key is removed after asking, as it cannot come back", async () => {
		const fake = await openApp();
		await go("settings");
		await fireEvent.click(screen.getByTestId("key-clear"));
		expect(textOf("key-remove-dialog")).toContain("cannot bring it back");
		expect(fake.calls.some((c) => c.command === "keyClear")).toBe(false);
		await fireEvent.click(screen.getByTestId("key-clear-confirm"));
		await screen.findByTestId("key-input");
	});

	test("the theme is applied to the document", async () => {
		await openApp();
		await go("settings");
		await fireEvent.click(screen.getByTestId("theme-dark").querySelector("input")!);
		await waitFor(() => expect(document.documentElement.dataset.theme).toBe("dark"));
	});

	test("a server needs an address that is one", async () => {
		await openApp();
		await go("settings");
		await fireEvent.click(screen.getByTestId("provider-custom").querySelector("input")!);
		await type("provider-url", "example.org");
		await fireEvent.click(screen.getByTestId("provider-use"));
		expect((await screen.findByTestId("error")).textContent).toContain("The provider is unchanged.");
	});
});

describe("everywhere", () => {
	test("activity that arrives while one reads waits behind a button", async () => {
		const fake = await openApp();
		await go("activity");
		const before = (await screen.findAllByTestId("activity")).length;
		fake.say(activity(1, "runGoesOn", "Allergy safety K=200 goes on", "A new key is stored.", null));
		const more = await screen.findByTestId("activity-new");
		expect(screen.getAllByTestId("activity")).toHaveLength(before);
		await fireEvent.click(more);
		await waitFor(() => expect(screen.getAllByTestId("activity")).toHaveLength(before + 1));
	});

	test("the palette finds pages and runs by keyboard alone", async () => {
		await openApp();
		await key({ key: "k", ctrlKey: true });
		await type("palette-input", "sett");
		await fireEvent.keyDown(screen.getByTestId("palette"), { key: "Enter" });
		expect(screen.getByTestId("page-settings")).toBeTruthy();
		expect(screen.queryByTestId("palette")).toBeNull();
	});

	test("a window that comes back from the tray says where it was", async () => {
		const fake = await openApp();
		fake.emit("trayExplained", null);
		expect((await screen.findByTestId("toast")).textContent).toContain("Its menu there quits.");
		await fireEvent.click(screen.getByTestId("toast-action"));
		await screen.findByTestId("page-settings");
	});

	test("letters go to pages, but not while a field has the focus, nor when switched off", async () => {
		await openApp();
		await key({ key: "g" });
		await key({ key: "e" });
		expect(screen.getByTestId("page-results")).toBeTruthy();
		const field = await screen.findByTestId("results-search");
		await fireEvent.keyDown(field, { key: "g" });
		await fireEvent.keyDown(field, { key: "r" });
		expect(screen.getByTestId("page-results")).toBeTruthy();
		await go("settings");
		await fireEvent.click(screen.getByTestId("letter-keys"));
		await screen.findByTestId("saved");
		await key({ key: "g" });
		await key({ key: "r" });
		expect(screen.getByTestId("page-settings")).toBeTruthy();
	});

	test("letters hold after a box was ticked, and its brackets are those of any keyboard", async () => {
		await openApp();
		await go("extraction");
		const box = screen.getByTestId("topic-G1_hygiene").querySelector("input")!;
		await fireEvent.click(box);
		await fireEvent.keyDown(box, { key: "?" });
		await screen.findByTestId("help");
		await fireEvent.click(screen.getByText("Close"));
		await go("results");
		await screen.findAllByTestId("results-row");
		const k = selection.k;
		// AltGr comes as Ctrl and Alt on Windows.
		await key({ key: "]", ctrlKey: true, altKey: true });
		expect(selection.k).toBeGreaterThan(k);
	});

	test("the size goes up and back to actual, and is kept", async () => {
		const fake = await openApp();
		const kept = () => fake.commands.settingsGet().then((r) => (r.status === "ok" ? r.data.zoomPercent : null));
		await key({ key: "+", ctrlKey: true });
		await waitFor(async () => expect(await kept()).toBe(110));
		await key({ key: "0", ctrlKey: true });
		await waitFor(async () => expect(await kept()).toBe(100));
	});

	test("the tour has four steps at most, ends for good and can be had again", async () => {
		await openApp();
		expect(screen.queryByTestId("tour")).toBeNull();
		await go("settings");
		await fireEvent.click(screen.getByTestId("tour-again"));
		await screen.findByTestId("tour");
		let steps = 1;
		while (screen.queryByTestId("tour-next")) {
			await fireEvent.click(screen.getByTestId("tour-next"));
			steps += 1;
		}
		expect(steps).toBeLessThanOrEqual(4);
		await fireEvent.click(screen.getByTestId("tour-end"));
		await waitFor(() => expect(screen.queryByTestId("tour")).toBeNull());
	});

	test("check now asks the provider and moves the clock of the status bar", async () => {
		const fake = await openApp();
		await fireEvent.click(screen.getByTestId("check-now"));
		await waitFor(() => expect(fake.calls.some((c) => c.command === "pollNow")).toBe(true));
	});

	test("an act without a place of its own that fails is told in a toast, once", async () => {
		const fake = await openApp();
		for (let i = 0; i < 2; i++) {
			fake.failNext("pollNow", "offline", "No network.");
			await fireEvent.click(screen.getByTestId("check-now"));
			await waitFor(() => expect(screen.getByTestId<HTMLButtonElement>("check-now").disabled).toBe(false));
		}
		expect(screen.getAllByTestId("error")).toHaveLength(1);
	});

	test("a page asked for from outside opens", async () => {
		const fake = await openApp();
		await go("settings");
		fake.request({ page: "runs", run: "run-0005" });
		await screen.findByTestId("run-detail");
		expect(screen.getByTestId("run-run-0005").getAttribute("aria-current")).toBe("true");
	});
});

describe("Ctrl F", () => {
	const find = () => key({ key: "f", ctrlKey: true });
	const focused = (testid: string) => expect(document.activeElement).toBe(screen.getByTestId(testid));

	test("narrows runs, the activity and the queue", async () => {
		await openApp();
		await go("runs");
		await screen.findByTestId("run-detail");
		await find();
		focused("runs-find");
		const runs = () => screen.queryAllByTestId(/^run-run-/).map((r) => r.textContent);
		const before = runs().length;
		await type("runs-find", "hygiene");
		await waitFor(() => expect(runs().length).toBeLessThan(before));
		for (const words of runs()) expect(words?.toLowerCase()).toContain("hygiene");
		await type("runs-find", "no such run");
		await screen.findByTestId("runs-none");

		await go("activity");
		await screen.findAllByTestId("activity");
		await find();
		focused("activity-find");
		await type("activity-find", "no such words");
		expect((await screen.findByTestId("activity-empty")).textContent).toContain("Nothing says “no such words”");
		await fireEvent.keyDown(screen.getByTestId("activity-find"), { key: "Escape" });
		await screen.findAllByTestId("activity");

		await go("queue");
		const labels = await screen.findAllByTestId("queue-label");
		await find();
		focused("queue-find");
		const name = labels[0]?.querySelector(".ell")?.textContent ?? "";
		await type("queue-find", name);
		await waitFor(() => {
			const names = screen.getAllByTestId("queue-label").map((l) => l.querySelector(".ell")?.textContent);
			expect(new Set(names)).toEqual(new Set([name]));
		});
	});

	test("looks through what a page shows where it has no filter", async () => {
		await openApp();
		await go("trust");
		await screen.findByTestId("trust");
		await find();
		focused("find-text");
		await type("find-text", "weighted MAJORITY");
		const first = textOf("find-count");
		expect(first).toMatch(/^1 of \d+$/);
		await fireEvent.click(screen.getByTestId("find-next"));
		if (first !== "1 of 1") expect(textOf("find-count")).toMatch(/^2 of/);
		await type("find-text", "no such words");
		expect(textOf("find-count")).toBe("not found");
		await fireEvent.keyDown(screen.getByTestId("find-text"), { key: "Escape" });
		expect(screen.queryByTestId("find-bar")).toBeNull();
		await find();
		await go("results");
		expect(screen.queryByTestId("find-bar")).toBeNull();
	});

	test("looks through a dialog, which Esc then leaves open", async () => {
		await openApp();
		await go("queue");
		await screen.findByTestId("label");
		await fireEvent.click(screen.getByTestId("queue-trail"));
		const dialog = await screen.findByTestId("trail");
		await fireEvent.keyDown(dialog, { key: "f", ctrlKey: true });
		await waitFor(() => focused("find-text"));
		expect(dialog.contains(screen.getByTestId("find-bar"))).toBe(true);
		await type("find-text", "nothing is ever removed");
		expect(textOf("find-count")).toBe("1 of 1");
		await fireEvent.keyDown(screen.getByTestId("find-text"), { key: "Escape" });
		expect(screen.queryByTestId("find-bar")).toBeNull();
		expect(screen.getByTestId("trail")).toBeTruthy();
	});

	test("looks through a dialog by the menu bar as well, whose key comes in place of the key itself", async () => {
		const fake = await openApp();
		await go("queue");
		await screen.findByTestId("label");
		await fireEvent.click(screen.getByTestId("queue-trail"));
		const dialog = await screen.findByTestId("trail");
		fake.emit("menuChosen", "find");
		await waitFor(() => focused("find-text"));
		expect(dialog.contains(screen.getByTestId("find-bar"))).toBe(true);
		expect(screen.getAllByTestId("find-bar")).toHaveLength(1);
	});

	test("looks through the page where its filter is not on screen", async () => {
		await openApp();
		await go("runs");
		await screen.findByTestId("run-detail");
		// As in a narrow window, where the list of runs is a menu; nothing that is not drawn takes the focus.
		const field = screen.getByTestId("runs-find");
		field.focus = () => {};
		await find();
		await waitFor(() => focused("find-text"));
		await type("find-text", "batches");
		expect(textOf("find-count")).toMatch(/^1 of/);
	});

	test("looks through the file that is edited, and Esc goes back to it", async () => {
		await openApp();
		await go("catalog");
		await fireEvent.click(await screen.findByTestId("shelf-terms"));
		await fireEvent.click(screen.getByTestId("shelf-terms").querySelector("input")!);
		await fireEvent.click(await screen.findByTestId("file-terms/allergy.yaml"));
		const area = await screen.findByTestId<HTMLTextAreaElement>("editor");
		await find();
		focused("catalog-search");
		area.focus();
		await find();
		await waitFor(() => focused("editor-find"));
		await type("editor-find", "TYPE: enum");
		expect(textOf("editor-found")).toMatch(/^1 of \d+$/);
		expect(area.value.slice(area.selectionStart, area.selectionEnd)).toBe("type: enum");
		const first = area.selectionStart;
		await fireEvent.keyDown(screen.getByTestId("editor-find"), { key: "Enter" });
		expect(area.selectionStart).toBeGreaterThan(first);
		await fireEvent.keyDown(screen.getByTestId("editor-find"), { key: "Escape" });
		focused("editor");
	});
});

describe("the palette", () => {
	const open = () => key({ key: "k", ctrlKey: true });

	test("finds businesses before Results was opened, of this dataset only, and topics without votes", async () => {
		const fake = await openApp();
		const list = await fake.commands.resultsOverview({ dataset: "metro", topic: "G1_allergy", k: 25, compareK: null });
		const name = list.status === "ok" ? list.data.rows[0]!.name : "";
		await open();
		await type("palette-input", name);
		const found = () => screen.getByTestId("palette").textContent ?? "";
		await waitFor(() => expect(found()).toContain("Businesses"));
		await type("palette-input", "loyalty");
		await waitFor(() => expect(found()).toContain("no votes yet"));
		await fireEvent.keyDown(screen.getByTestId("palette-input"), { key: "Escape" });
		// Another dataset has other businesses.
		const release = hold(fake, "resultsOverview");
		await fireEvent.click(screen.getByTestId("nav-runs"));
		const { app } = await import("./lib/state/app.svelte");
		const sample = await fake.commands.datasetImportSample();
		await app.loadDatasets();
		if (sample.status === "ok") app.chooseDataset(sample.data.dataset.dataset);
		await type("palette-input", name);
		expect(found()).not.toContain("Businesses");
		release();
	});
});

describe("the menu bar", () => {
	test("its items do what their keys do, and wait while a dialog is open", async () => {
		const fake = await openApp();
		fake.emit("menuChosen", "results");
		await screen.findByTestId("page-results");
		fake.emit("menuChosen", "back");
		await screen.findByTestId("page-runs");
		fake.emit("menuChosen", "findAnything");
		await screen.findByTestId("palette");
		fake.emit("menuChosen", "settings");
		expect(screen.queryByTestId("page-settings")).toBeNull();
		fake.emit("menuChosen", "findAnything");
		await waitFor(() => expect(screen.queryByTestId("palette")).toBeNull());
		fake.emit("menuChosen", "settings");
		await screen.findByTestId("page-settings");
		fake.emit("menuChosen", "larger");
		await waitFor(() =>
			expect(fake.calls.find((c) => c.command === "settingsSet")?.args[0]).toMatchObject({ zoomPercent: 110 }),
		);
		fake.emit("menuChosen", "keys");
		await screen.findByTestId("help");
	});
});
