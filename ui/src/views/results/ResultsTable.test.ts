import { fireEvent, screen, waitFor } from "@testing-library/svelte";
import { expect, test } from "vitest";
import { app } from "../../lib/state/app.svelte";
import { openApp } from "../../test-views";

const key = (init: KeyboardEventInit) => fireEvent.keyDown(document.activeElement ?? window, init);
const scroller = () => screen.getByTestId("results-scroll");
const rows = () => screen.getAllByTestId("results-row");
const stops = () => rows().filter((r) => r.tabIndex === 0);

async function openResults() {
	const fake = await openApp();
	await fireEvent.click(screen.getByTestId("nav-results"));
	await screen.findAllByTestId("results-row");
	(document.activeElement as HTMLElement | null)?.blur();
	return fake;
}

async function scrollTo(top: number) {
	scroller().scrollTop = top;
	await fireEvent.scroll(scroller());
}

test("one comes back to the row one left, and the focus is on it", async () => {
	await openResults();
	await scrollTo(1500);
	const wanted = await waitFor(() => {
		const row = rows().find((r) => r.getAttribute("aria-rowindex") === "60");
		if (!row) throw new Error("not drawn yet");
		return row.dataset.business;
	});
	await fireEvent.click(rows().find((r) => r.dataset.business === wanted)!);
	await screen.findByTestId("business-left");
	(document.activeElement as HTMLElement | null)?.blur();
	await fireEvent.keyDown(window, { key: "Escape" });
	await screen.findAllByTestId("results-row");
	expect(scroller().scrollTop).toBe(1500);
	await waitFor(() => expect((document.activeElement as HTMLElement).dataset.business).toBe(wanted));
	// Votes that arrive leave the place as well; another order begins at its top.
	await app.loadTopics();
	await fireEvent.click(screen.getByTestId("sort-name"));
	await waitFor(() => expect(scroller().scrollTop).toBe(0));
});

test("votes that arrive do not move the table", async () => {
	const fake = await openResults();
	await scrollTo(1500);
	const read = () => fake.calls.filter((c) => c.command === "resultsOverview").length;
	const before = read();
	await app.loadTopics();
	await waitFor(() => expect(read()).toBeGreaterThan(before));
	await waitFor(() => expect(rows().length).toBeGreaterThan(0));
	expect(scroller().scrollTop).toBe(1500);
});

test("Tab reaches one row; J and K move it with the focus", async () => {
	await openResults();
	expect(stops()).toHaveLength(1);
	await key({ key: "j" });
	await key({ key: "j" });
	await waitFor(() => expect(document.activeElement?.getAttribute("aria-rowindex")).toBe("3"));
	expect(stops().map((r) => r.getAttribute("aria-rowindex"))).toEqual(["3"]);
	await key({ key: "k" });
	await waitFor(() => expect(document.activeElement?.getAttribute("aria-rowindex")).toBe("2"));
	const chosen = (document.activeElement as HTMLElement).dataset.business;
	await key({ key: "Enter" });
	await screen.findByTestId("business-left");
	expect(chosen).toBeTruthy();
});

test("Compare and Charts open nothing that cannot be seen", async () => {
	await openResults();
	await key({ key: "j" });
	await fireEvent.click(screen.getByTestId("look-compare"));
	await screen.findByTestId("compare-view");
	await fireEvent.keyDown(document.body, { key: "Enter" });
	expect(screen.queryByTestId("business-left")).toBeNull();
	expect(screen.getByTestId("compare-view")).toBeTruthy();
	// What J and K move there is seen: it has the focus.
	await fireEvent.keyDown(document.body, { key: "j" });
	await waitFor(() => expect(screen.getAllByTestId("compare-row")[0]?.contains(document.activeElement)).toBe(true));
	await fireEvent.keyDown(document.activeElement!, { key: "j" });
	await waitFor(() => expect(screen.getAllByTestId("compare-row")[1]?.contains(document.activeElement)).toBe(true));
});
