import { expect, test } from "vitest";
import { spansOf } from "./spend";

const day = (day: string, ...usd: number[]) => ({ day, usd, requests: 10 });

test("days without spending stand between those with", () => {
	expect(spansOf([], 2)).toEqual({ unit: "day", spans: [] });
	const { unit, spans } = spansOf([day("2026-02-27", 1, 0.5), day("2026-03-01", 2, 0)], 2);
	expect(unit).toBe("day");
	expect(spans.map((s) => [s.from, ...s.usd, s.requests])).toEqual([
		["2026-02-27", 1, 0.5, 10],
		["2026-02-28", 0, 0, 0],
		["2026-03-01", 2, 0, 10],
	]);
});

test("more than a month is told by weeks that begin on Monday, more than half a year by months", () => {
	// 1 Nov 2026 is a Sunday.
	const weeks = spansOf([day("2026-11-01", 1), day("2026-11-02", 2), day("2026-12-06", 4)], 1);
	expect(weeks.unit).toBe("week");
	expect(weeks.spans.map((s) => s.from)).toEqual([
		"2026-10-26",
		"2026-11-02",
		"2026-11-09",
		"2026-11-16",
		"2026-11-23",
		"2026-11-30",
	]);
	expect(weeks.spans.map((s) => s.usd[0])).toEqual([1, 2, 0, 0, 0, 4]);
	const months = spansOf([day("2025-12-31", 1), day("2026-01-31", 2), day("2026-09-01", 4)], 1);
	expect(months.unit).toBe("month");
	expect(months.spans).toHaveLength(10);
	expect(months.spans.map((s) => s.from).slice(0, 3)).toEqual(["2025-12-01", "2026-01-01", "2026-02-01"]);
	expect(months.spans.reduce((a, s) => a + s.usd[0]!, 0)).toBe(7);
});
