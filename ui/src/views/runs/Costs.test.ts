import { fireEvent, screen, waitFor, within } from "@testing-library/svelte";
import { describe, expect, test, vi } from "vitest";
import { backend } from "../../lib/backend";
import { openApp, TestClock, textOf } from "../../test-views";

async function costs(options: Parameters<typeof openApp>[0] = {}) {
	const fake = await openApp(options);
	await fireEvent.click(screen.getByTestId("nav-runs"));
	await fireEvent.click((await screen.findByTestId("look-costs")).querySelector("input")!);
	await screen.findByTestId("costs");
	return fake;
}
const saved = (fake: Awaited<ReturnType<typeof costs>>) =>
	fake.calls.find((c) => c.command === "fileSave")?.args as [string, { csv: string }] | undefined;

describe("costs", () => {
	test("are shown by day and model, and their table is what was charged", async () => {
		const fake = await costs();
		const chart = await screen.findByTestId("chart-spend");
		const spend = await fake.commands.spendOverview();
		if (spend.status !== "ok") throw new Error("no overview");
		expect(spend.data.days.length).toBeGreaterThan(0);
		expect(spend.data.models.length).toBeGreaterThan(1);
		for (const model of spend.data.models) expect(chart.textContent).toContain(model);
		await fireEvent.click(screen.getByTestId("chart-spend-csv"));
		await waitFor(() => expect(saved(fake)?.[0]).toBe("/home/user/spend_by_day.csv"));
		const [head, ...rows] = saved(fake)![1].csv.slice(1).trim().split("\r\n");
		expect(head).toBe(`day,${spend.data.models.map((m) => `"${m}, USD"`).join(",")},"sum, USD",requests`);
		const sums = rows.map((r) => Number(r.split(",").at(-2)));
		expect(sums.reduce((a, n) => a + n, 0)).toBeCloseTo(spend.data.usdTotal, 4);
	});

	test("stand beside the estimate, run by run", async () => {
		const fake = await costs();
		const chart = await screen.findByTestId("chart-estimates");
		await fireEvent.click(screen.getByTestId("chart-estimates-table"));
		const spend = await fake.commands.spendOverview();
		const rows = within(chart).getAllByRole("row").slice(1);
		expect(rows.length).toBe(spend.status === "ok" ? spend.data.runs.length : -1);
		await fireEvent.click(screen.getByTestId("look-runs").querySelector("input")!);
		await screen.findByTestId("run-detail");
	});

	test("of the sandbox are called play money, and none are said to be none", async () => {
		const clock = new TestClock();
		const fake = await openApp({ scenario: "sandbox", now: clock.read, batchSeconds: 10 });
		await fireEvent.click(screen.getByTestId("nav-extraction"));
		await waitFor(() => expect(textOf("send")).toContain("Send 1,200 requests"));
		await fireEvent.click(screen.getByTestId("send"));
		await fireEvent.click(screen.getByTestId("confirm-send"));
		await fireEvent.click((await screen.findByTestId("look-costs")).querySelector("input")!);
		await waitFor(() => expect(textOf("play-money")).toContain("Nothing was charged."));
		expect(textOf("costs-empty")).toContain("Nothing was charged yet");
		expect(fake.calls.some((c) => c.command === "spendOverview")).toBe(true);
	});

	test("are waited for with grey bars", async () => {
		await openApp({ scenario: "full" });
		await fireEvent.click(screen.getByTestId("nav-runs"));
		const costs = await screen.findByTestId("look-costs");
		const fake = vi.spyOn(backend().commands, "spendOverview").mockReturnValue(new Promise(() => {}));
		await fireEvent.click(costs.querySelector("input") ?? costs);
		expect((await screen.findByTestId("loading")).dataset.what).toBe("what runs have cost");
		fake.mockRestore();
	});

	test("that cannot be read say why", async () => {
		const fake = await openApp();
		fake.failNext("spendOverview", "storeFailed", "The store could not be read.");
		await fireEvent.click(screen.getByTestId("nav-runs"));
		await fireEvent.click((await screen.findByTestId("look-costs")).querySelector("input")!);
		expect((await screen.findByTestId("error")).textContent).toContain("The store could not be read.");
		await fireEvent.click(screen.getByText("Try again"));
		await screen.findByTestId("chart-spend");
	});
});
