import { describe, expect, test } from "vitest";
import type { QueueLabel } from "./backend/bindings";
import { headingHeight, labelHeight, queueRows, rowsInView, rowTops } from "./queue";

const label = (verdicts: number, n: number, expectedChanges: number | null = null): QueueLabel => ({
	reviewId: `r${n}`,
	business: "b",
	businessName: "B",
	field: "severity",
	value: "mild",
	rival: "none",
	doubt: "unsure",
	confidence: 0.6,
	verdicts,
	expectedChanges,
});

describe("the queue's list", () => {
	const rows = queueRows([label(3, 0), label(1, 1), label(1, 2), label(0, 3)]);

	test("a heading stands where what hangs on the labels changes", () => {
		expect(rows.map((r) => (r.kind === "heading" ? r.text : r.label.reviewId))).toEqual([
			"May flip 3 verdicts",
			"r0",
			"May flip 1",
			"r1",
			"r2",
			"No verdict depends on it",
			"r3",
		]);
	});

	test("by value the headings say how likely a look changes something, each once", () => {
		const valued = queueRows([1.2, 0.6, 0.3, 0.1, 0.02, 0.01, 0].map((changes, n) => label(1, n, changes)));
		expect(valued.flatMap((r) => (r.kind === "heading" ? r.text : []))).toEqual([
			"Changes a verdict or more",
			"More likely than not to change one",
			"Changes one in 2 to 10 looks",
			"Changes one in more than 10 looks",
			"Not expected to change any",
		]);
	});

	test("of 20,000 labels only those in view are drawn, and every place of the list is covered", () => {
		const long = queueRows(Array.from({ length: 20000 }, (_, n) => label(n < 50 ? 1 : 0, n)));
		const tops = rowTops(long);
		expect(tops.at(-1)).toBe(20000 * labelHeight + 2 * headingHeight);
		for (const scrollTop of [0, 31, 2222, 400000, tops.at(-1)! - 600]) {
			const { first, end } = rowsInView(tops, scrollTop, 600);
			expect(end - first).toBeLessThan(40);
			expect(tops[first]).toBeLessThanOrEqual(scrollTop);
			expect(tops[end]).toBeGreaterThanOrEqual(Math.min(tops.at(-1)!, scrollTop + 600));
		}
		expect(rowsInView(rowTops([]), 0, 600)).toEqual({ first: 0, end: 0 });
	});
});
