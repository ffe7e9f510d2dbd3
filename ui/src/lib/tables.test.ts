import { fireEvent, screen, waitFor } from "@testing-library/svelte";
import { describe, expect, test } from "vitest";
import { openApp, textOf } from "../test-views";

type Fake = Awaited<ReturnType<typeof openApp>>;
const click = (testid: string) => fireEvent.click(screen.getByTestId(testid));

/** The file that was saved last: its name, its head, and how many rows it has. */
async function saved(fake: Fake, testid: string): Promise<{ name: string; head: string; rows: string[] }> {
	const before = fake.calls.length;
	await waitFor(() => expect(screen.getByTestId<HTMLButtonElement>(testid).disabled).toBe(false));
	await click(testid);
	const call = await waitFor(() => {
		const found = fake.calls.slice(before).find((c) => c.command === "fileSave");
		if (!found) throw new Error("nothing was saved");
		return found;
	});
	const [path, content] = call.args as [string, { csv: string }];
	const [head = "", ...rows] = content.csv.slice(1).trimEnd().split("\r\n");
	return { name: path.split("/").at(-1)!, head, rows };
}

describe("every table can be kept as CSV", () => {
	test("runs, batches and failures", async () => {
		const fake = await openApp();
		await click("nav-runs");
		await screen.findByTestId("run-detail");
		const runs = await saved(fake, "runs-csv");
		expect(runs.name).toBe("runs.csv");
		const list = await fake.commands.runList();
		expect(runs.rows.length).toBe(list.status === "ok" ? list.data.length : -1);
		const batches = await saved(fake, "batches-csv");
		expect(batches.rows.length).toBe(screen.getAllByTestId("batch").length);
		expect(batches.head).toContain("provider's id");
		const failures = await saved(fake, "failures-csv");
		const counts = failures.rows.map((r) => Number(r.split(",")[3]));
		expect(textOf("failures")).toContain(`${counts.reduce((a, n) => a + n, 0)} failed`);
	});

	test("activity, and only what is shown of it", async () => {
		const fake = await openApp();
		await click("nav-activity");
		await screen.findAllByTestId("activity");
		const all = await saved(fake, "activity-csv");
		expect(all.head).toBe("time,kind,severity,title,text,run");
		expect(all.rows[0]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z,/);
		await fireEvent.input(screen.getByTestId("activity-find"), { target: { value: "hygiene" } });
		await waitFor(() => expect(screen.getAllByTestId("activity").length).toBeLessThan(all.rows.length));
		const some = await saved(fake, "activity-csv");
		expect(some.rows.length).toBeLessThan(all.rows.length);
		expect(some.rows.length).toBe(screen.getAllByTestId("activity").length);
	});

	test("the queue and its audit trail", async () => {
		const fake = await openApp();
		await click("nav-queue");
		await screen.findByTestId("queue");
		const queue = await saved(fake, "queue-csv");
		expect(queue.head).toContain("verdicts that hang on it");
		expect(queue.rows.length).toBeGreaterThan(0);
		await fireEvent.keyDown(window, { key: "a" });
		await waitFor(() => expect(fake.calls.some((c) => c.command === "overrideSet")).toBe(true));
		await click("queue-trail");
		await screen.findAllByTestId("trail-entry");
		const trail = await saved(fake, "trail-csv");
		expect(trail.rows).toHaveLength(1);
		expect(trail.rows[0]).toContain(",kept,");
	});

	test("verdicts, incidents, votes and reviews of a business", async () => {
		const fake = await openApp();
		await click("nav-results");
		await screen.findAllByTestId("results-row");
		expect((await saved(fake, "results-csv")).name).toMatch(/^G1_allergy_verdicts_K=\d+\.csv$/);
		await fireEvent.click(screen.getAllByTestId("results-row")[0]!.querySelector("button")!);
		await screen.findByTestId("votes");
		const votes = await saved(fake, "votes-csv");
		expect(votes.head).toContain("is_relevant,");
		expect(votes.rows.at(-1)).toContain(",consensus,");
		expect((await saved(fake, "reviews-csv")).rows.length).toBeGreaterThan(0);
		expect((await saved(fake, "incidents-csv")).rows.length).toBe(screen.getAllByTestId("incident").length);
	});

	test("what flips", async () => {
		const fake = await openApp();
		await click("nav-whatif");
		await screen.findByTestId("whatif");
		await fireEvent.input(screen.getByTestId("knob-points.1"), { target: { value: "9" } });
		await screen.findAllByTestId("whatif-row");
		const flips = await saved(fake, "flips-csv");
		expect(flips.rows.length).toBe(Number(/^(\d+) of/.exec(textOf("whatif-flips"))?.[1]));
	});

	test("trust", async () => {
		const fake = await openApp();
		await click("nav-trust");
		await screen.findByTestId("trust");
		expect((await saved(fake, "agreement-csv")).head).toBe("question,figure,value,in words");
		expect((await saved(fake, "certainty-csv")).rows.length).toBeGreaterThan(0);
		expect((await saved(fake, "advice-csv")).rows.length).toBeGreaterThan(0);
	});

	test("datasets", async () => {
		const fake = await openApp();
		await click("nav-settings");
		expect((await saved(fake, "datasets-csv")).rows).toHaveLength(1);
	});

	test("what is compared, moved, weighed and planned", async () => {
		const fake = await openApp();
		await click("nav-extraction");
		await waitFor(() => expect(textOf("est-usd")).toMatch(/\d/));
		const ensemble = await saved(fake, "ensemble-csv");
		expect(ensemble.head).toContain("USD per 1 M tokens in");
		expect(ensemble.rows.map((r) => r.split(",").slice(0, 3).join())).toEqual(["gpt-5-mini,1,2", "gpt-5-nano,3,1"]);

		await click("nav-results");
		await fireEvent.click(await screen.findByTestId("look-compare"));
		await screen.findByTestId("flow");
		const flow = await saved(fake, "flow-csv");
		expect(flow.rows.map((r) => r.split(",")[0])).toEqual(["Low Risk", "High Risk", "Critical Risk", "no verdict"]);
		const businesses = flow.rows.flatMap((r) => r.split(",").slice(1).map(Number)).reduce((a, n) => a + n, 0);
		expect(textOf("compare-count")).toContain(`of ${businesses} verdicts`);

		await click("nav-queue");
		await screen.findByTestId("label");
		const outcomes = await saved(fake, "outcomes-csv");
		expect(outcomes.head).toContain("G1_allergy_V0,G1_allergy_V1,G1_allergy_V2,G1_allergy_V3");
		expect(outcomes.rows.filter((r) => r.split(",")[3] === "yes").length).toBeLessThanOrEqual(1);
		expect(outcomes.rows.length).toBe(screen.getByTestId("label").querySelectorAll(".opt").length);

		await click("nav-whatif");
		await screen.findByTestId("whatif");
		await fireEvent.input(screen.getByTestId("knob-points.1"), { target: { value: "12" } });
		await screen.findByTestId("whatif-difference");
		const difference = await saved(fake, "difference-csv");
		expect(difference.rows).toHaveLength(1);
		expect(difference.rows[0]).toMatch(/,5,12$/);
	});
});
