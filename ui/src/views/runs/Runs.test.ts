import { fireEvent, screen, waitFor } from "@testing-library/svelte";
import { expect, test } from "vitest";
import type { FakeOptions } from "../../lib/backend/fake";
import type { FakeRun } from "../../lib/backend/fake/runs";
import { past } from "../../lib/backend/fake/story";
import { openApp, TestClock, textOf } from "../../test-views";

const now = new TestClock().now;
const key = (init: KeyboardEventInit) => fireEvent.keyDown(window, init);

async function openRuns(options: FakeOptions = {}) {
	const fake = await openApp(options);
	await fireEvent.click(screen.getByTestId("nav-runs"));
	await screen.findByTestId("run-detail");
	return fake;
}

/** It stands still because the provider refused whole batches. */
const refused: FakeRun = {
	...past("run-0100", "G2_romance", 25, 400, 0, 1, now - 3600),
	fixed: "needsYou",
	frozenAt: now - 8000,
	failures: [
		{
			cause: "batchRefused",
			providerCode: "invalid_json_line, duplicate_custom_id",
			example: "This line is not parseable as valid JSON.",
			model: "gpt-5-nano",
			count: 20,
			retryable: true,
			usdRetry: 0.25,
		},
		{
			cause: "refused",
			providerCode: null,
			example: "I cannot help with that.",
			model: "gpt-5-nano",
			count: 2,
			retryable: true,
			usdRetry: 0.02,
		},
	],
};

test("what asking again costs stands on its button, and a refused batch's words stand there unasked", async () => {
	const fake = await openRuns({ runs: [structuredClone(refused)] });
	await fireEvent.click(screen.getByTestId("run-run-0100"));
	await screen.findByTestId("failure-batchRefused");
	expect(textOf("retry-all")).toBe("Retry all 22 · $0.27");
	expect(screen.getAllByTestId("retry").map((b) => b.textContent?.trim())).toEqual([
		"Retry 20 · $0.25",
		"Retry 2 · $0.02",
	]);
	expect(textOf("failure-words")).toBe(
		"invalid_json_line, duplicate_custom_id: This line is not parseable as valid JSON.",
	);
	await fireEvent.click(screen.getAllByTestId("retry")[1]!);
	await waitFor(() =>
		expect(fake.calls.find((c) => c.command === "runRetry")?.args).toEqual(["run-0100", "refused", "gpt-5-nano"]),
	);
});

test("what may be paid already is in no Retry all, and its own button says what is at stake", async () => {
	const gone: FakeRun = {
		...refused,
		run: "run-0101",
		failures: [
			{ ...refused.failures[0]!, count: 20, usdRetry: 0.25 },
			{
				cause: "batchMissing",
				providerCode: null,
				example: null,
				model: "gpt-5-nano",
				count: 4000,
				retryable: true,
				usdRetry: 20,
			},
		],
	};
	const fake = await openRuns({ runs: [gone] });
	await fireEvent.click(screen.getByTestId("run-run-0101"));
	await screen.findByTestId("failure-batchMissing");
	expect(textOf("retry-all")).toBe("Retry all 20 · $0.25");
	expect(textOf("failure-twice")).toContain("charged a second time");
	await fireEvent.click(screen.getByTestId("retry-all"));
	await waitFor(() => expect(screen.queryByTestId("failure-batchRefused")).toBeNull());
	expect(fake.calls.find((c) => c.command === "runRetry")?.args).toEqual(["run-0101", null, null]);
	expect(screen.getByTestId("failure-batchMissing")).toBeTruthy();
});

test("a button that spends names the model where two causes are alike, on a small window too", async () => {
	await openRuns({ runs: [structuredClone(refused)] });
	await fireEvent.click(screen.getByTestId("run-run-0100"));
	await waitFor(() => expect(screen.getAllByTestId("retry")).toHaveLength(2));
	const names = screen.getAllByTestId("retry").map((b) => b.getAttribute("aria-label"));
	expect(names.every((n) => n?.includes("gpt-5-nano"))).toBe(true);
	expect(names.every((n, i) => n?.startsWith(screen.getAllByTestId("retry")[i]!.textContent!.trim()))).toBe(true);
	expect(screen.getAllByTestId("failure-model").map((m) => m.textContent)).toEqual(["gpt-5-nano", "gpt-5-nano"]);
});

test("Ctrl E saves the table at hand: that of the section with the focus, else the first", async () => {
	const fake = await openRuns();
	const saved = () => fake.calls.filter((c) => c.command === "fileSave").map((c) => String(c.args[0]));
	await key({ key: "e", ctrlKey: true });
	await waitFor(() => expect(saved()).toEqual(["/home/user/runs.csv"]));
	screen.getByTestId("failures-csv").focus();
	await key({ key: "e", ctrlKey: true });
	await waitFor(() => expect(saved()[1]).toContain("failures"));
});

test("nothing is offered again while the program would refuse it, and the page says until when", async () => {
	await openRuns();
	for (const id of ["retry-all", ...screen.getAllByTestId("retry").map(() => "retry")])
		expect(screen.getAllByTestId<HTMLButtonElement>(id).every((b) => b.disabled)).toBe(true);
	expect(textOf("retry-not")).toBe("Can be asked again once the batches are in.");
	await fireEvent.click(screen.getByTestId("pause"));
	await waitFor(() => expect(textOf("retry-not")).toContain("once the run is resumed"));
});

test("going on with a paused run names what it may spend", async () => {
	await openRuns();
	expect(screen.queryByTestId("resume")).toBeNull();
	await fireEvent.click(screen.getByTestId("pause"));
	await waitFor(() => expect(textOf("resume")).toBe("Resume for about $0.52"));
	expect(textOf("resume-words")).toBe("Resuming sends the other 5,532 requests for about $0.52.");
});

test("figures that could not be read anew say of when they are, until they are new again", async () => {
	const fake = await openRuns();
	fake.failNext("runDetail", "storeFailed", "The run could not be read.");
	await fake.commands.runPause("run-0009");
	const stale = await screen.findByTestId("detail-stale");
	expect(stale.textContent).toContain("These figures are those of ");
	expect(stale.textContent).toContain("The run could not be read.");
	expect(screen.getByTestId("run-detail").dataset.state).toBe("running");
	await fireEvent.click(screen.getByTestId("error-retry"));
	await waitFor(() => expect(screen.queryByTestId("detail-stale")).toBeNull());
	expect(screen.getByTestId("run-detail").dataset.state).toBe("paused");
});

test("of years of runs only those in view exist, and keys go along what the search leaves", async () => {
	const many = Array.from({ length: 400 }, (_, i) =>
		past(`run-1${i}`, i % 2 ? "G1_hygiene" : "G2_romance", 25, 40, 0, 1, now - 9e6 - i),
	);
	await openRuns({ runs: many });
	const listed = () => screen.getAllByTestId(/^run-run-/).map((r) => r.dataset.testid);
	expect(listed().length).toBeLessThan(60);
	await fireEvent.input(screen.getByTestId("runs-find"), { target: { value: "hygiene" } });
	const left = listed();
	await key({ key: "j" });
	await key({ key: "j" });
	await waitFor(() => expect(screen.getByTestId(left[1]!).getAttribute("aria-current")).toBe("true"));
});
