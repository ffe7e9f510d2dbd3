// Two ways of judging side by side, in words and as a table to keep.

import type { Comparison, Why } from "./backend/bindings";
import type { Table } from "./csv";
import { count, counted } from "./format";
import { badness } from "./verdict";

const signed = (n: number) => (n < 0 ? `−${count(-n)}` : `+${count(n)}`);

/** `2 more incidents in reviews 26 to 50` and the like: one difference as a clause. */
export function whyWords(why: Why): string {
	switch (why.kind) {
		case "unjudged":
			return "only one of the two has complete reviews to judge";
		case "reviews": {
			const points = why.points === null ? "" : `, ${signed(why.gained ? why.points : -why.points)} points`;
			const has = `${counted(why.incidents, "incident")}${points}`;
			const reviews = counted(why.reviews, why.gained ? "more review" : "review");
			return why.gained ? `${reviews} with ${has}` : `without ${reviews} that had ${has}`;
		}
		case "counted": {
			const points = why.points === null ? "" : `, ${signed(why.gained ? why.points : -why.points)} points`;
			return `${counted(why.incidents, "review")} ${why.gained ? "now" : "no longer"} ${why.incidents === 1 ? "counts" : "count"}${points}`;
		}
		case "points":
			return `${counted(why.incidents, "incident")} ${why.incidents === 1 ? "has" : "have"} ${why.after < why.before ? "fewer" : "more"} points: ${count(why.before)} → ${count(why.after)}`;
		case "threshold":
			return `${why.verdict} starts at ${count(why.after)} instead of ${count(why.before)}`;
		case "rule":
			return why.before === why.after
				? `the rule ${why.after} finds other counts`
				: `${why.after || "the default rule"} instead of ${why.before || "the default rule"}`;
		case "method":
			return why.pointsAfter
				? `${counted(why.points, "point")} instead of the rule ${why.rule}`
				: `the rule ${why.rule} instead of ${counted(why.points, "point")}`;
	}
}

export const because = (why: Why[]): string => why.map(whyWords).join("; ");

/** How many of the changed businesses got worse, better, and neither (a verdict came or went). */
export function directions(c: Comparison): { worse: number; better: number; other: number } {
	const result = { worse: 0, better: 0, other: 0 };
	for (const { before, after } of c.changed) {
		if (before.verdictIndex === null || after.verdictIndex === null) result.other += 1;
		else if (badness(c.after, after.verdictIndex) > badness(c.before, before.verdictIndex)) result.worse += 1;
		else result.better += 1;
	}
	return result;
}

/** Businesses by verdict on one side and on the other, as the matrix of the page has them. */
export function flowTable(c: Comparison): Table {
	const { before, after } = c.query;
	const none = "no verdict";
	return {
		head: [
			`${before.policy} K=${before.k}`,
			...[...c.after.verdicts, none].map((v) => `${v} in ${after.policy} K=${after.k}`),
		],
		rows: c.flow.map((row, i) => [c.before.verdicts[i] ?? none, ...row]),
	};
}

export function changedTable(c: Comparison): Table {
	const { before, after } = c.query;
	const word = (policy: Comparison["before"], index: number | null) =>
		index === null ? null : (policy.verdicts[index] ?? null);
	const side = (policy: string, k: number) => `${policy} K=${k}`;
	return {
		head: [
			"business",
			"name",
			`verdict ${side(before.policy, before.k)}`,
			`score ${side(before.policy, before.k)}`,
			`verdict ${side(after.policy, after.k)}`,
			`score ${side(after.policy, after.k)}`,
			"because",
		],
		rows: c.changed.map((b) => [
			b.business,
			b.name,
			word(c.before, b.before.verdictIndex),
			b.before.score,
			word(c.after, b.after.verdictIndex),
			b.after.score,
			because(b.why),
		]),
	};
}
