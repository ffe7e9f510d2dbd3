import { expect, test } from "vitest";
import type { Incident } from "../../lib/backend";
import { createFake } from "../../lib/backend/fake";
import { arithmetic, because, clause, growthOf, place, rowsOf, scoreOf } from "./score";

const incident = (over: Partial<Incident>): Incident => ({
	reviewId: "r",
	date: "2019-02-16",
	severityField: "incident_severity",
	severityValue: "mild",
	severityLabel: "Mild incident",
	basePoints: 2,
	modifiers: [],
	totalPoints: 2,
	recencyWeight: 1,
	weightedPoints: 2,
	agreement: null,
	...over,
});

test.each([
	[incident({}), "2"],
	[
		incident({ modifiers: [{ label: "dismissive staff", points: 3 }], totalPoints: 5, weightedPoints: 5 }),
		"2 + 3 dismissive staff = 5",
	],
	[incident({ basePoints: 5, totalPoints: 5, recencyWeight: 0.25, weightedPoints: 1 }), "5 × 0.25 = 1.25 → 1"],
	[incident({ recencyWeight: 0.5, weightedPoints: 1 }), "2 × 0.5 = 1"],
	[
		incident({
			modifiers: [{ label: "dismissive staff", points: 3 }],
			totalPoints: 5,
			recencyWeight: 0.5,
			weightedPoints: 2,
		}),
		"(2 + 3 dismissive staff) × 0.5 = 2.5 → 2",
	],
])("the arithmetic of an incident, truncation shown", (i, words) => expect(arithmetic(i)).toBe(words));

async function detailOf(variant: string) {
	const fake = createFake({ now: () => 1_795_353_600 });
	const overview = await fake.commands.resultsOverview({
		dataset: "metro",
		topic: "G1_allergy",
		k: 50,
		compareK: null,
	});
	if (overview.status !== "ok") throw new Error("no overview");
	const row = overview.data.rows.find((r) => r.incidents >= 3) ?? overview.data.rows[0]!;
	const detail = await fake.commands.businessDetail({
		dataset: "metro",
		topic: "G1_allergy",
		business: row.business,
		policy: `G1_allergy_${variant}`,
		k: 50,
		compareK: null,
	});
	if (detail.status !== "ok") throw new Error("no detail");
	return detail.data;
}

test("the steps add up to the program's own score", async () => {
	for (const variant of ["V2", "V3"]) {
		const d = await detailOf(variant);
		const score = scoreOf(d);
		expect(d.incidents.length).toBeGreaterThan(1);
		expect(score.total).toBe(d.score);
		expect(place(score, score.low)).toBe(0);
		expect(place(score, score.total)).toBeLessThan(100);
	}
});

test("the score grows to the program's own, and each step is at the review that made it", async () => {
	const d = await detailOf("V3");
	const points = growthOf(d);
	expect(points.at(-1)?.score).toBe(d.score);
	expect(points).toHaveLength(d.incidents.length);
	for (const p of points) expect(d.incidents.map((i) => i.reviewId)).toContain(d.reviews[p.position - 1]?.reviewId);
	const positions = points.map((p) => p.position);
	expect(positions).toEqual([...positions].sort((a, b) => a - b));
});

test("rows are in order of date and hold every relevant review once", async () => {
	const d = await detailOf("V3");
	const rows = rowsOf(d, scoreOf(d));
	expect(rows).toHaveLength(d.reviewsRelevant);
	const dates = rows.map((r) => r.date ?? "9999");
	expect(dates).toEqual([...dates].sort());
});

test("the reason names the threshold, or the rule that held", async () => {
	expect(because(await detailOf("V3"), "Critical Risk")).toMatch(
		/add up to \d+ points?\..* of \d+ reviews are relevant\.$/,
	);
	expect(because(await detailOf("V0"), "Critical Risk")).toMatch(/first-hand\. \d+ of/);
});

test("a condition of the catalog becomes part of a sentence", () => {
	expect(clause("At least 1 review says so.")).toBe("at least 1 review says so");
	expect(clause("Any of it")).toBe("any of it");
});
