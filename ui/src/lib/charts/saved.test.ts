import { fireEvent, screen, waitFor } from "@testing-library/svelte";
import { expect, test } from "vitest";
import { openApp } from "../../test-views";

const click = (testid: string) => fireEvent.click(screen.getByTestId(testid));

/** The picture that was saved last, as a document; it needs nothing of the window. */
async function saved(
	fake: Awaited<ReturnType<typeof openApp>>,
	testid: string,
): Promise<{ name: string; drawn: Document }> {
	const before = fake.calls.length;
	await click(`${testid}-svg`);
	const call = await waitFor(() => {
		const found = fake.calls.slice(before).find((c) => c.command === "fileSave");
		if (!found) throw new Error("nothing was saved");
		return found;
	});
	const [path, content] = call.args as [string, { svg: string }];
	expect(content.svg).not.toMatch(/var\(|NaN|undefined|class=|style=/);
	const drawn = new DOMParser().parseFromString(content.svg, "image/svg+xml");
	expect(drawn.querySelector("parsererror")).toBeNull();
	expect(screen.getByTestId(`${testid}-png`)).toBeTruthy();
	return { name: path.split("/").at(-1)!, drawn };
}

const words = (drawn: Document) => [...drawn.querySelectorAll("text")].map((t) => t.textContent ?? "");

test("what a business's page draws can be kept as a picture", async () => {
	const fake = await openApp();
	await click("nav-results");
	await screen.findAllByTestId("results-row");
	const bars = await saved(fake, "distribution");
	expect(words(bars.drawn)).toEqual(expect.arrayContaining(["Verdicts by policy", "V0", "V3"]));
	await fireEvent.click(screen.getAllByTestId("results-row")[0]!);
	await screen.findByTestId("sure");
	const waterfall = await saved(fake, "waterfall");
	expect(waterfall.name).toMatch(/^G1_allergy_V3_.*waterfall\.svg$/);
	// A bar for each incident and the sum, at least, on the ground.
	expect(waterfall.drawn.querySelectorAll("rect").length).toBeGreaterThanOrEqual(
		screen.getAllByTestId("incident").length + 2,
	);
	expect(words(waterfall.drawn)).toContain(screen.getByTestId("score").textContent);
	const growth = await saved(fake, "growth");
	expect(growth.drawn.querySelector("polyline")).toBeTruthy();
	const sure = await saved(fake, "sure-chart");
	expect(words(sure.drawn)).toContain("70");
});

test("the scores of What-if with their thresholds, and the lanes of a run", async () => {
	const fake = await openApp();
	await click("nav-whatif");
	await screen.findByTestId("whatif");
	const scores = await saved(fake, "histogram");
	expect(words(scores.drawn).filter((w) => w.includes("≥")).length).toBeGreaterThanOrEqual(2);
	await click("nav-runs");
	await screen.findByTestId("run-detail");
	const lanes = await saved(fake, "lanes");
	expect(words(lanes.drawn)).toContain("gpt-5-mini 1 of 1");
});
