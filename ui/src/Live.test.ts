// What an open page does while runs go on behind it: figures follow, and nothing that is looked at moves.

import { fireEvent, render, screen, waitFor } from "@testing-library/svelte";
import { describe, expect, test, vi } from "vitest";
import App from "./App.svelte";
import { type AppState, type ResultsOverview, type RunSummary, useBackend } from "./lib/backend";
import { createFake, type Fake } from "./lib/backend/fake";
import { activityLog } from "./lib/state/activity.svelte";
import { app } from "./lib/state/app.svelte";
import { queue } from "./lib/state/queue.svelte";
import { results } from "./lib/state/results.svelte";
import { runs } from "./lib/state/runs.svelte";
import { forget, hold, openApp, TestClock, textOf } from "./test-views";

const go = (page: string) => fireEvent.click(screen.getByTestId(`nav-${page}`));
const calls = (fake: Fake, command: string) => fake.calls.filter((c) => c.command === command).length;

/** From now on the command says this on top of what it says otherwise. */
function edit<T>(fake: Fake, command: keyof Fake["commands"], change: (answer: T) => T): void {
	const commands = fake.commands as Record<string, (...args: unknown[]) => Promise<unknown>>;
	const real = commands[command]!;
	commands[command] = async (...args) => {
		const r = (await real(...args)) as { status: string; data: T };
		return r.status === "ok" ? { ...r, data: change(r.data) } : r;
	};
}

const live = (): RunSummary => runs.list!.find((r) => r.state === "running")!;

describe("the connection", () => {
	test("a look that the program takes by itself does not keep the person from asking for one", async () => {
		const fake = await openApp();
		edit<AppState>(fake, "appState", (s) => ({ ...s, connection: { ...s.connection, checking: true } }));
		await app.refresh();
		expect(textOf("last-checked")).toContain("Last checked");
		expect(screen.getByTestId<HTMLButtonElement>("check-now").disabled).toBe(false);
		const release = hold(fake, "pollNow");
		await fireEvent.click(screen.getByTestId("check-now"));
		expect(textOf("last-checked")).toBe("Checking…");
		expect(screen.getByTestId<HTMLButtonElement>("check-now").disabled).toBe(true);
		fake.emit("connectionChanged", { ...app.state!.connection, checking: true });
		release();
		await waitFor(() => expect(screen.getByTestId<HTMLButtonElement>("check-now").disabled).toBe(false));
		expect(textOf("last-checked")).toContain("Last checked");
	});

	test("an older look at the program takes the place of neither a newer one nor what was heard since", async () => {
		const fake = await openApp();
		const release = hold(fake, "appState");
		const old = app.refresh();
		await waitFor(() => expect(calls(fake, "appState")).toBeGreaterThan(1));
		fake.emit("connectionChanged", { ...app.state!.connection, state: "offline", sinceAt: 1_795_353_500 });
		release();
		await old;
		expect(textOf("connection")).toContain("Offline since");
		const later = hold(fake, "appState");
		edit<AppState>(fake, "appState", (s) => ({ ...s, spentTodayUsd: 1 }));
		const first = app.refresh();
		later();
		edit<AppState>(fake, "appState", (s) => ({ ...s, spentTodayUsd: 9 }));
		await app.refresh();
		await first;
		expect(app.state?.spentTodayUsd).toBe(9);
	});
});

describe("runs", () => {
	test("what is heard while the list is on its way is not lost to it", async () => {
		const fake = await openApp();
		const before = live();
		const release = hold(fake, "runList");
		const loading = runs.load();
		await waitFor(() => expect(calls(fake, "runList")).toBe(2));
		fake.emit("runChanged", { ...before, state: "done", finishedAt: 1_795_353_600 });
		fake.emit("runChanged", { ...before, run: "run-9999", topicName: "Begun just now" });
		release();
		await loading;
		expect(runs.list?.find((r) => r.run === before.run)?.state).toBe("done");
		expect(runs.list?.[0]?.topicName).toBe("Begun just now");
	});

	test("a list that was asked for earlier does not take the place of a newer one", async () => {
		const fake = await openApp();
		const release = hold(fake, "runList");
		const old = runs.load();
		edit<RunSummary[]>(fake, "runList", (list) => list.slice(0, 1));
		release();
		edit<RunSummary[]>(fake, "runList", (list) => list.slice(0, 1));
		await runs.load();
		await old;
		expect(runs.list).toHaveLength(1);
	});

	test("what has failed is not said to be answered", async () => {
		await openApp();
		await go("runs");
		await screen.findByTestId("run-detail");
		const { summary } = runs.detail!;
		expect(summary.failed).toBeGreaterThan(0);
		expect(textOf("answered")).toContain(`${summary.answered.toLocaleString("en")} of`);
		expect(summary.answered).toBe(summary.completed - summary.failed);
	});
});

test("an activity that is heard while the list is on its way waits behind the button", async () => {
	const fake = await openApp();
	await go("activity");
	await waitFor(() => expect(screen.getAllByTestId("activity").length).toBeGreaterThan(1));
	const release = hold(fake, "activityList");
	const loading = activityLog.load();
	fake.emit("activityAdded", { ...activityLog.list![0]!, activity: 987_654, title: "It is complete" });
	release();
	await loading;
	await waitFor(() => expect(textOf("activity-new")).toBe("1 new entry, show"));
});

describe("votes that arrive", () => {
	test("reach the pages while the run goes on, and no more than once in two seconds", async () => {
		const fake = await openApp();
		vi.useFakeTimers();
		try {
			const asked = calls(fake, "topicList");
			for (let i = 1; i <= 20; i++) {
				fake.emit("runChanged", { ...live(), ingested: live().ingested + 1 });
				await vi.advanceTimersByTimeAsync(100);
			}
			expect(calls(fake, "topicList") - asked).toBeLessThanOrEqual(2);
			await vi.advanceTimersByTimeAsync(2000);
			expect(calls(fake, "topicList") - asked).toBeGreaterThanOrEqual(1);
			const settled = calls(fake, "topicList");
			// Progress without a vote stored changes nothing that the pages show.
			fake.emit("runChanged", { ...live(), completed: live().completed + 1 });
			await vi.advanceTimersByTimeAsync(4000);
			expect(calls(fake, "topicList")).toBe(settled);
		} finally {
			vi.useRealTimers();
		}
	});

	test("change results in place: rows stand where they stood until one asks", async () => {
		const fake = await openApp();
		await go("results");
		await screen.findAllByTestId("results-row");
		const order = () => screen.getAllByTestId("results-row").map((r) => r.dataset.business);
		const before = order();
		const last = before.at(-1)!;
		edit<ResultsOverview>(fake, "resultsOverview", (d) => ({
			...d,
			rows: d.rows.map((r) =>
				r.business === last ? { ...r, verdicts: r.verdicts.map((v) => ({ ...v, verdictIndex: 2, score: 999 })) } : r,
			),
		}));
		await app.loadTopics();
		const row = () => screen.getAllByTestId("results-row").find((r) => r.dataset.business === last);
		await waitFor(() => expect(row()?.textContent).toContain("999"));
		expect(order()).toEqual(before);
		await fireEvent.click(screen.getByTestId("sort-again"));
		expect(order()[0]).toBe(last);
		expect(screen.queryByTestId("sort-again")).toBeNull();
	});

	test("are asked for again though the question has the same words", async () => {
		const fake = await openApp();
		await go("results");
		await screen.findAllByTestId("results-row");
		const release = hold(fake, "resultsOverview");
		const asked = calls(fake, "resultsOverview");
		const first = results.load(results.query);
		const second = results.load(results.query);
		release();
		await Promise.all([first, second]);
		expect(calls(fake, "resultsOverview")).toBe(asked + 2);
	});

	test("leave the plan's button alone while its figures are counted anew", async () => {
		const fake = await openApp();
		await go("extraction");
		await waitFor(() => expect(screen.getByTestId<HTMLButtonElement>("send").disabled).toBe(false));
		const asked = calls(fake, "planEstimate");
		const release = hold(fake, "planEstimate");
		await app.loadTopics();
		await waitFor(() => expect(calls(fake, "planEstimate")).toBe(asked + 1));
		expect(screen.getByTestId<HTMLButtonElement>("send").disabled).toBe(false);
		release();
	});

	test("wait behind a button where they would move the queue", async () => {
		const fake = await openApp();
		await go("queue");
		await waitFor(() => expect(queue.all.length).toBeGreaterThan(3));
		const shown = () => screen.getAllByTestId("queue-label").map((l) => l.textContent);
		const before = shown();
		const first = { ...queue.all[0]!, reviewId: "of-a-new-batch", businessName: "A new one" };
		edit<NonNullable<typeof queue.data>>(fake, "queueList", (q) => ({ ...q, labels: [first, ...q.labels] }));
		await app.loadTopics();
		await waitFor(() => expect(textOf("queue-new")).toBe("1 new label, show"));
		expect(shown()).toEqual(before);
		await fireEvent.click(screen.getByTestId("queue-new"));
		await waitFor(() => expect(shown()[0]).toContain("A new one"));
		expect(screen.queryByTestId("queue-new")).toBeNull();
	});

	test("what was read stays while nothing has changed, and is read again after a correction", async () => {
		const fake = await openApp();
		await go("results");
		await screen.findAllByTestId("results-row");
		const asked = calls(fake, "resultsOverview");
		await go("runs");
		await go("results");
		expect(screen.getAllByTestId("results-row").length).toBeGreaterThan(1);
		expect(calls(fake, "resultsOverview")).toBe(asked);
		await go("queue");
		await waitFor(() => expect(queue.ready).toBe(true));
		await queue.keep();
		const last = results.rows.at(-1)!.business;
		edit<ResultsOverview>(fake, "resultsOverview", (d) => ({
			...d,
			rows: d.rows.map((r) =>
				r.business === last ? { ...r, verdicts: r.verdicts.map((v) => ({ ...v, verdictIndex: 2, score: 999 })) } : r,
			),
		}));
		await go("results");
		await waitFor(() => expect(calls(fake, "resultsOverview")).toBe(asked + 1));
		// Whoever opens the page has not seen the rows elsewhere.
		await waitFor(() => expect(screen.getAllByTestId("results-row")[0]?.textContent).toContain("999"));
		expect(screen.queryByTestId("sort-again")).toBeNull();
	});
});

test("a page that a notification asked for while the window starts is the one that opens", async () => {
	forget();
	const fake = createFake({ now: new TestClock().read });
	useBackend(fake);
	const release = hold(fake, "appState");
	render(App);
	await waitFor(() => expect(calls(fake, "appState")).toBe(1));
	fake.request({ page: "activity", run: null });
	release();
	await screen.findByTestId("page-activity");
});
