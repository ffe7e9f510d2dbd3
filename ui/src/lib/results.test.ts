import { describe, expect, test } from "vitest";
import type { PolicySummary, ResultsRow, VerdictCell } from "./backend/bindings";
import { differ, filterRows, isUnsure, movedCount, noFilters, type Sort, sortRows } from "./results";

const policy = (over: Partial<PolicySummary> = {}): PolicySummary => ({
	policy: "P",
	variant: "V2",
	title: "Points",
	verdicts: ["Low", "High", "Critical"],
	worstFirst: false,
	scored: true,
	...over,
});
const cell = (
	verdictIndex: number | null,
	score: number | null = null,
	comparedIndex: number | null = null,
): VerdictCell => ({
	verdictIndex,
	score,
	comparedIndex,
});
const row = (name: string, verdicts: VerdictCell[], over: Partial<ResultsRow> = {}): ResultsRow => ({
	business: name,
	name,
	categories: "Thai, Restaurants",
	relevant: 0,
	reviews: 25,
	reviewsComplete: 25,
	incidents: 0,
	verdicts,
	provisional: false,
	leastSure: null,
	...over,
});
const names = (rows: ResultsRow[]) => rows.map((r) => r.name).join(" ");
const by = (key: Sort["key"], down: boolean): Sort => ({ key, policy: 0, down });

describe("sorting", () => {
	const rows = [
		row("b", [cell(1, 5)]),
		row("a", [cell(2, 9)]),
		row("d", [cell(null)]),
		row("c", [cell(1, 7)]),
		row("e", [cell(1, 5)]),
	];

	test("by verdict, then points, and equals keep their order", () => {
		expect(names(sortRows(rows, [policy()], by("policy", true)))).toBe("a c b e d");
	});
	test("without a verdict comes last either way", () => {
		expect(names(sortRows(rows, [policy()], by("policy", false)))).toBe("b e c a d");
	});
	test("worst first where the best outcome stands last", () => {
		const best = [row("good", [cell(2)]), row("bad", [cell(0)])];
		expect(names(sortRows(best, [policy({ worstFirst: true })], by("policy", true)))).toBe("bad good");
	});
	test("by name as people count", () => {
		const numbered = [row("Cafe 10", []), row("cafe 9", []), row("Äther", []), row("Bar", [])];
		expect(names(sortRows(numbered, [], by("name", false)))).toBe("Äther Bar cafe 9 Cafe 10");
		expect(names(sortRows(numbered, [], by("name", true)))).toBe("Cafe 10 cafe 9 Bar Äther");
		expect(numbered[0]?.name).toBe("Cafe 10");
	});
	test("by how much moved and how sure", () => {
		const moved = [row("x", [cell(1, 0, 1)], { leastSure: 0.8 }), row("y", [cell(1, 0, 0)], { leastSure: 0.4 })];
		expect(names(sortRows(moved, [policy()], by("moved", true)))).toBe("y x");
		expect(names(sortRows(moved, [policy()], by("leastSure", false)))).toBe("y x");
	});
});

describe("filtering", () => {
	const rows = [
		row("Lotus Bowl", [cell(2, 0, 1), cell(1)], { leastSure: 0.6 }),
		row("Ginger Root", [cell(1, 0, 1), cell(1)], { leastSure: 0.8, categories: "Coffee" }),
		row("Maple", [cell(null), cell(1)]),
	];

	test("nothing asked, nothing copied", () => expect(filterRows(rows, noFilters)).toBe(rows));
	test("by words in name and categories, in any order and case", () => {
		expect(names(filterRows(rows, { ...noFilters, text: "thai LOTUS" }))).toBe("Lotus Bowl");
		expect(names(filterRows(rows, { ...noFilters, text: "coffee" }))).toBe("Ginger Root");
	});
	test("by one outcome of one policy", () => {
		expect(names(filterRows(rows, { ...noFilters, verdict: { policy: 0, index: 2 } }))).toBe("Lotus Bowl");
	});
	test("by disagreement; no verdict disagrees with nothing", () => {
		expect(names(filterRows(rows, { ...noFilters, differs: [0, 1] }))).toBe("Lotus Bowl");
		expect(differ(rows[2]!, [0, 1])).toBe(false);
	});
	test("by what moved and what is unsure", () => {
		expect(names(filterRows(rows, { ...noFilters, moved: true }))).toBe("Lotus Bowl");
		expect(names(filterRows(rows, { ...noFilters, unsure: true }))).toBe("Lotus Bowl");
		expect([movedCount(rows[1]!), isUnsure(rows[2]!)]).toEqual([0, false]);
	});
	test("together, all must hold", () => {
		expect(filterRows(rows, { ...noFilters, unsure: true, text: "ginger" })).toEqual([]);
	});
});
