import { fireEvent, screen, waitFor, within } from "@testing-library/svelte";
import { describe, expect, test } from "vitest";
import { app } from "../../lib/state/app.svelte";
import { hold, openApp, textOf } from "../../test-views";

const key = (init: KeyboardEventInit) => fireEvent.keyDown(window, init);
const slide = (knob: string, value: number) =>
	fireEvent.input(screen.getByTestId(`knob-${knob}`), { target: { value: String(value) } });
const rows = () => screen.queryAllByTestId("whatif-row");
const flips = () => Number(/^(\d+) of/.exec(textOf("whatif-flips"))?.[1] ?? 0);

async function openWhatIf() {
	const fake = await openApp();
	await key({ key: "g" });
	await key({ key: "w" });
	await screen.findByTestId("whatif");
	return fake;
}

describe("what-if", () => {
	test("begins with nothing moved, and a moved threshold flips verdicts at once", async () => {
		await openWhatIf();
		expect(textOf("whatif-flips")).toBe("Nothing moved yet");
		expect(screen.getByTestId<HTMLButtonElement>("whatif-save").disabled).toBe(true);
		const high = screen.getByTestId("knob-threshold.1");
		const was = Number(high.getAttribute("aria-valuenow"));
		for (let n = 0; n < was - 1; n++) await fireEvent.keyDown(high, { key: "ArrowLeft" });
		await waitFor(() => expect(flips()).toBeGreaterThan(0));
		const table = screen.getByTestId("whatif-rows").querySelector("table")!;
		expect(table.getAttribute("aria-rowcount")).toBe(String(flips() + 1));
		expect(rows()[0]?.textContent).toContain("High now starts at 1");
		expect(high.getAttribute("aria-valuetext")).toBe(`High from 1 point, ${flips()} verdicts flip`);
		expect(textOf("whatif-difference")).toContain(`− ${was}+ 1`);
		expect(textOf("whatif-says")).toContain(`${flips()} get worse, 0 get better`);
	});

	test("a moved slider shows the original, and Reset brings it back", async () => {
		await openWhatIf();
		await slide("points.1", 12);
		await waitFor(() => expect(textOf("value-points.1")).toBe("12"));
		expect(screen.getByTestId("knobs-points").querySelector("s")?.textContent).toBe("5");
		await waitFor(() => expect(flips()).toBeGreaterThan(0));
		await fireEvent.click(screen.getByTestId("reset-points.1"));
		await waitFor(() => expect(textOf("whatif-flips")).toBe("Nothing moved yet"));
		expect(screen.queryByTestId("whatif-difference")).toBeNull();
	});

	test("rows keep their place while a slider is held, and are sorted when it is let go", async () => {
		await openWhatIf();
		const slider = screen.getByTestId("knob-points.1");
		await fireEvent.pointerDown(slider);
		await slide("points.1", 12);
		await waitFor(() => expect(flips()).toBeGreaterThan(0));
		const held = rows().map((r) => r.dataset.business);
		await slide("points.1", 6);
		await waitFor(() => expect(rows().some((r) => r.textContent?.includes("no longer flips"))).toBe(true));
		expect(
			rows()
				.map((r) => r.dataset.business)
				.slice(0, held.length),
		).toEqual(held);
		await fireEvent.pointerUp(slider);
		await waitFor(() => expect(rows().some((r) => r.textContent?.includes("no longer flips"))).toBe(false));
		expect(rows()).toHaveLength(flips());
	});

	test("discarding asks from three changes on; undo brings them back", async () => {
		await openWhatIf();
		await slide("points.0", 3);
		await fireEvent.click(screen.getByTestId("whatif-discard"));
		await waitFor(() => expect(textOf("value-points.0")).toBe("2"));
		expect(screen.queryByTestId("discard-dialog")).toBeNull();
		for (const [knob, value] of [
			["points.0", 3],
			["points.1", 6],
			["points.2", 16],
		] as const)
			await slide(knob, value);
		await key({ key: "Escape" });
		await screen.findByTestId("discard-dialog");
		await fireEvent.click(screen.getByTestId("discard-keep"));
		expect(textOf("value-points.2")).toBe("16");
		await fireEvent.click(screen.getByTestId("whatif-discard"));
		await fireEvent.click(screen.getByTestId("discard-confirm"));
		await waitFor(() => expect(textOf("value-points.2")).toBe("15"));
		await key({ key: "z", ctrlKey: true });
		await waitFor(() => expect(textOf("value-points.2")).toBe("16"));
	});

	test("saving asks a name, shows the file's difference, and leaves weights out", async () => {
		const fake = await openWhatIf();
		await slide("weight.0", 3);
		await waitFor(() => expect(textOf("value-weight.0")).toBe("3"));
		expect(screen.getByTestId<HTMLButtonElement>("whatif-save").disabled).toBe(true);
		await slide("points.1", 9);
		await fireEvent.click(screen.getByTestId("whatif-save"));
		await waitFor(() => expect(textOf("policy-yaml")).toContain("+ severity_points[moderate].points: 9"));
		expect(textOf("policy-left-out")).toContain("gpt-5-mini");
		await fireEvent.input(screen.getByTestId("policy-name"), { target: { value: "Stricter" } });
		await fireEvent.click(screen.getByTestId("policy-save"));
		await waitFor(() => expect(screen.queryByTestId("save-policy")).toBeNull());
		expect(fake.calls.find((c) => c.command === "whatIfSave")?.args[1]).toBe("Stricter");
		expect(textOf("toast")).toContain("Saved as V10 Stricter");
	});

	test("discarded changes come back from another page, by Ctrl Z", async () => {
		await openWhatIf();
		await slide("points.0", 3);
		await fireEvent.click(screen.getByTestId("whatif-discard"));
		await waitFor(() => expect(textOf("value-points.0")).toBe("2"));
		await fireEvent.click(screen.getByTestId("nav-activity"));
		expect(textOf("undo-bar")).toContain("1 change discarded");
		await key({ key: "z", ctrlKey: true });
		await screen.findByTestId("whatif");
		await waitFor(() => expect(textOf("value-points.0")).toBe("3"));
	});

	test("a policy of one's own is removed after showing what that does, and comes back", async () => {
		await openWhatIf();
		expect(screen.queryByTestId("whatif-remove")).toBeNull();
		await slide("points.1", 9);
		await fireEvent.click(screen.getByTestId("whatif-save"));
		await screen.findByTestId("policy-yaml");
		await fireEvent.input(screen.getByTestId("policy-name"), { target: { value: "Stricter" } });
		await fireEvent.click(screen.getByTestId("policy-save"));
		const policy = () => screen.getByTestId<HTMLSelectElement>("whatif-policy").value;
		await screen.findByTestId("whatif-remove");
		expect(policy()).toBe("V10");
		await fireEvent.click(screen.getByTestId("whatif-remove"));
		await waitFor(() => expect(screen.getByTestId<HTMLButtonElement>("catalog-confirm").disabled).toBe(false));
		await fireEvent.click(screen.getByTestId("catalog-confirm"));
		await waitFor(() => expect(policy()).toBe("V3"));
		expect(screen.queryByTestId("whatif-remove")).toBeNull();
		await fireEvent.click(await screen.findByTestId("undo"));
		await waitFor(() => expect(policy()).toBe("V10"));
		expect(screen.getByTestId("whatif-remove")).toBeTruthy();
	});

	test("a refused save stays open and says why", async () => {
		const fake = await openWhatIf();
		await slide("points.1", 9);
		await fireEvent.click(screen.getByTestId("whatif-save"));
		await screen.findByTestId("policy-yaml");
		fake.failNext("whatIfSave", "diskFull", "The disk is full.");
		await fireEvent.click(screen.getByTestId("policy-save"));
		await waitFor(() =>
			expect(within(screen.getByTestId("save-policy")).getByTestId("error").textContent).toContain("The disk is full."),
		);
	});

	test("rules policies move their counts", async () => {
		await openWhatIf();
		await fireEvent.change(screen.getByTestId("whatif-policy"), { target: { value: "V0" } });
		await screen.findAllByTestId("knobs-count");
		expect(screen.queryByTestId("histogram")).toBeNull();
		await slide("count.1.0", 2);
		await waitFor(() => expect(flips()).toBeGreaterThan(0));
		expect(rows()[0]?.textContent).toContain("High needs 2, not 1");
	});

	test("a topic without votes says so", async () => {
		await openWhatIf();
		await fireEvent.change(screen.getByTestId("whatif-topic"), { target: { value: "G6_loyalty" } });
		await waitFor(() => expect(textOf("whatif-empty")).toContain("No votes on Loyalty yet"));
	});

	test("Tab reaches one of the flipped rows; J and K move it with the focus", async () => {
		await openWhatIf();
		await slide("points.1", 12);
		await waitFor(() => expect(rows().length).toBeGreaterThan(2));
		const stops = () => rows().filter((r) => r.querySelector("button")?.tabIndex === 0);
		expect(stops()).toHaveLength(1);
		(document.activeElement as HTMLElement | null)?.blur();
		await key({ key: "j" });
		await waitFor(() => expect(rows()[0]?.contains(document.activeElement)).toBe(true));
		await key({ key: "j" });
		await waitFor(() => expect(rows()[1]?.contains(document.activeElement)).toBe(true));
		expect(stops()).toEqual([rows()[1]]);
		await key({ key: "k" });
		await waitFor(() => expect(rows()[0]?.contains(document.activeElement)).toBe(true));
	});

	test("what was moved on one policy is there again after a look at another", async () => {
		await openWhatIf();
		await slide("points.1", 12);
		await waitFor(() => expect(textOf("value-points.1")).toBe("12"));
		await slide("points.2", 20);
		await fireEvent.change(screen.getByTestId("whatif-policy"), { target: { value: "V2" } });
		await waitFor(() => expect(textOf("whatif-flips")).toBe("Nothing moved yet"));
		await fireEvent.change(screen.getByTestId("whatif-policy"), { target: { value: "V3" } });
		await waitFor(() => expect(textOf("value-points.1")).toBe("12"));
		expect(textOf("value-points.2")).toBe("20");
		await waitFor(() => expect(flips()).toBeGreaterThan(0));
		// And step by step the way back.
		await key({ key: "u" });
		await waitFor(() => expect(textOf("value-points.2")).not.toBe("20"));
		expect(textOf("value-points.1")).toBe("12");
	});

	test("neither a run that ends nor a failure loses what was moved", async () => {
		const fake = await openWhatIf();
		await slide("points.1", 12);
		await waitFor(() => expect(flips()).toBeGreaterThan(0));
		const names = rows().map((r) => r.dataset.business);
		const opened = () => fake.calls.filter((c) => c.command === "whatIfOpen").length;
		const before = opened();
		const release = hold(fake, "whatIfTry");
		await app.loadTopics();
		await waitFor(() => expect(opened()).toBeGreaterThan(before));
		// What was found stays on screen until the same is found in the votes as they are now.
		expect(rows().map((r) => r.dataset.business)).toEqual(names);
		release();
		fake.failNext("whatIfOpen", "storeFailed", "The votes cannot be read.");
		await app.loadTopics();
		await fireEvent.click(await screen.findByTestId("error-retry"));
		await waitFor(() => expect(textOf("value-points.1")).toBe("12"));
		await key({ key: "u" });
		await waitFor(() => expect(textOf("whatif-flips")).toBe("Nothing moved yet"));
	});
});
