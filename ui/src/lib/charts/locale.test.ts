// Numbers on charts and in their tables as the locale writes them. In a file of its own: the locale is read once, at the start.

import { fireEvent, render, screen } from "@testing-library/svelte";
import { createRawSnippet } from "svelte";
import { beforeAll, expect, test, vi } from "vitest";

beforeAll(() => {
	vi.stubGlobal("navigator", { ...navigator, language: "de-DE", languages: ["de-DE"] });
});

test("bars and columns", async () => {
	const { default: Stacked } = await import("./Stacked.svelte");
	const { default: Columns } = await import("./Columns.svelte");
	const { container } = render(Stacked, {
		label: "Verdicts",
		rows: [{ label: "V0", parts: [{ n: 18440, tone: 0, word: "Low" }] }],
	});
	expect(container.textContent).toContain("18.440");
	expect(container.querySelector("svg")?.getAttribute("aria-label")).toContain("Low 18.440");
	const columns = render(Columns, { label: "Labels", bars: [{ label: "1", n: 1234 }] });
	expect(columns.container.textContent).toContain("1.234");
});

test("the table of a chart says numbers, times and states as the page does, its file as files do", async () => {
	const { default: Figure } = await import("./Figure.svelte");
	render(Figure, {
		title: "Runs",
		file: "runs",
		testid: "runs",
		words: { state: { needsYou: "Needs you" } },
		table: {
			head: ["started", "state", "USD", "share"],
			rows: [["2026-11-24T12:24:00.000Z", "needsYou", 1234.5, 0.8134]],
		},
		children: createRawSnippet(() => ({ render: () => "<svg></svg>" })),
	});
	await fireEvent.click(screen.getByTestId("runs-table"));
	const cells = [...screen.getByTestId("runs").querySelectorAll("td")].map((c) => c.textContent);
	expect(cells[0]).toMatch(/^24 Nov 2026, \d\d:\d\d$/);
	expect(cells.slice(1)).toEqual(["Needs you", "1.234,5", "0,8134"]);
});
