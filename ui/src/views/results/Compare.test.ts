import { fireEvent, screen, waitFor } from "@testing-library/svelte";
import { expect, test } from "vitest";
import { openApp, textOf } from "../../test-views";

const click = (testid: string) => fireEvent.click(screen.getByTestId(testid));
const choose = (testid: string, value: string) => fireEvent.change(screen.getByTestId(testid), { target: { value } });

const open = async (look: string) => {
	const fake = await openApp();
	await click("nav-results");
	await screen.findByTestId("distribution");
	await click(`look-${look}`);
	return fake;
};
const saved = (fake: Awaited<ReturnType<typeof open>>) =>
	fake.calls.filter((c) => c.command === "fileSave").map((c) => c.args as [string, Record<string, string>]);

test("two policies or two K are compared: how many change, which way, and why", async () => {
	const fake = await open("compare");
	await waitFor(() => expect(textOf("compare-count")).toMatch(/^\d+ of 100 verdicts change$/));
	await choose("after-policy", "V2");
	await waitFor(() => expect(screen.queryByTestId("compare-same")).toBeTruthy());
	await choose("after-k", "25");
	await waitFor(() => expect(screen.queryByTestId("compare-same")).toBeNull());
	await screen.findByTestId("compare-count");
	expect(screen.getAllByTestId("compare-row")[0]?.textContent).toContain("without 25 reviews that had");
	const changed = Number.parseInt(textOf("compare-count"), 10);
	await click("compare-swap");
	await waitFor(() => expect(screen.getAllByTestId("compare-row")[0]?.textContent).toContain("25 more reviews with"));
	expect(Number.parseInt(textOf("compare-count"), 10)).toBe(changed);
	await click("compare-csv");
	await waitFor(() => expect(saved(fake).length).toBe(1));
	const [path, content] = saved(fake)[0]!;
	expect(path).toBe("/home/user/G1_allergy_changes_V2_K=25_V2_K=50.csv");
	expect(content.csv?.trim().split("\r\n").length).toBe(changed + 1);
});

test("the rows that are shown are kept as CSV, whatever their names hold", async () => {
	const fake = await open("verdicts");
	await fireEvent.input(screen.getByTestId("results-search"), { target: { value: "nguyễn" } });
	await click("results-csv");
	await waitFor(() => expect(saved(fake).length).toBe(1));
	const lines = saved(fake)[0]![1].csv?.trim().split("\r\n") ?? [];
	expect(lines.length).toBe(2);
	expect(lines[0]).toContain("G1_allergy_V3,G1_allergy_V3 points");
	expect(lines[1]).toContain("Nguyễn’s Bánh Mì");
});

test("charts have a text twin, and are kept as SVG with colours and as CSV", async () => {
	const fake = await open("charts");
	await screen.findByTestId("chart-k-V3");
	await screen.findByTestId("chart-agreement");
	await click("chart-policies-table");
	expect(textOf("chart-policies")).toContain("G1_allergy_V0");
	await click("chart-policies-svg");
	await click("chart-confidence-csv");
	await waitFor(() => expect(saved(fake).length).toBe(2));
	const svg = saved(fake)[0]![1].svg ?? "";
	expect(svg).not.toContain("var(");
	expect(svg).toContain(">Verdicts by policy</text>");
	expect(svg).toContain("Low, High, Critical, from the left");
	expect(svg).toContain('fill="#a9cbd3"');
	const drawn = new DOMParser().parseFromString(svg, "image/svg+xml");
	expect(drawn.querySelectorAll("rect").length).toBeGreaterThan(8);
	expect(saved(fake)[1]![1].csv).toContain("confidence,labels");
	expect(textOf("charts")).not.toContain("NaN");
});

test("a file that cannot be written says so", async () => {
	const fake = await open("verdicts");
	fake.pickSave = async () => "/readonly/x.csv";
	await click("results-csv");
	expect((await screen.findByTestId("error")).textContent).toContain("cannot be written");
	fake.pickSave = async () => null;
	await click("results-csv");
	expect(saved(fake).length).toBe(1);
});
