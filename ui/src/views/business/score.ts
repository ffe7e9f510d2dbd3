// A score built up step by step, and the sentences that tell how.

import type { BusinessDetail, BusinessReview, Incident } from "../../lib/backend";
import { count, counted, decimal } from "../../lib/format";

export interface Step {
	incident: Incident;
	before: number;
	after: number;
}

export interface Score {
	steps: Step[];
	/** Before the cuisine is added. */
	subtotal: number;
	total: number;
	/** Left and right end of the axis, in points. */
	low: number;
	high: number;
}

export function scoreOf(d: BusinessDetail): Score {
	let sum = 0;
	const steps = d.incidents.map((incident) => {
		const before = sum;
		sum += incident.weightedPoints;
		return { incident, before, after: sum };
	});
	const subtotal = sum;
	const total = subtotal + (d.cuisineModifier?.points ?? 0);
	const marks = [0, total, subtotal, ...steps.map((s) => s.after), ...d.thresholds.map((t) => t.points)];
	const high = Math.max(1, ...marks) * 1.15;
	return { steps, subtotal, total, low: Math.min(0, ...marks), high };
}

export const place = (score: Score, points: number): number => (100 * (points - score.low)) / (score.high - score.low);

/** `(2 + 3 dismissive staff) × 0.5 = 2.5 → 2`: the arithmetic with the truncation shown. */
export function arithmetic(i: Incident): string {
	const sum = [String(i.basePoints), ...i.modifiers.map((m) => `${m.points} ${m.label}`)].join(" + ");
	if (i.recencyWeight === 1) return i.modifiers.length > 0 ? `${sum} = ${i.totalPoints}` : `${sum}`;
	const product = i.totalPoints * i.recencyWeight;
	const head = `${i.modifiers.length > 0 ? `(${sum})` : sum} × ${decimal(i.recencyWeight)}`;
	return product === i.weightedPoints
		? `${head} = ${i.weightedPoints}`
		: `${head} = ${decimal(product)} → ${i.weightedPoints}`;
}

/** A sentence of the catalog as part of one of ours. */
export const clause = (sentence: string): string =>
	(sentence.charAt(0).toLowerCase() + sentence.slice(1)).replace(/\.$/, "");

/** One sentence: why this policy says what it says. */
export function because(d: BusinessDetail, verdict: string): string {
	const relevant = `${d.reviewsRelevant} of ${counted(d.reviewsComplete, "review")} ${d.reviewsRelevant === 1 ? "is" : "are"} relevant.`;
	if (d.verdictIndex === null)
		return `None of its ${counted(d.reviewsUsed, "review")} within K=${d.query.k} is judged yet.`;
	if (d.rules.length > 0) {
		const rule = d.rules.find((r) => r.matched);
		if (!rule || rule.default) return `No other rule holds at K=${d.query.k}. ${relevant}`;
		const held = rule.conditions.filter((c) => c.holds).map((c) => clause(c.text));
		return `${held.join(", and ")}. ${relevant}`;
	}
	const counting = counted(d.incidents.length, "incident");
	const cuisine = d.cuisineModifier ? " and the cuisine" : "";
	if (d.incidents.length === 0) return `there is no incident, so the score is ${count(d.score ?? 0)}. ${relevant}`;
	const bound = d.thresholds.filter((t) => t.verdictIndex === d.verdictIndex)[0];
	const rule = bound
		? ` At K=${d.query.k}, ${count(bound.points)} or ${bound.bound === "min" ? "more" : "less"} is ${verdict}.`
		: "";
	return `${counting}${cuisine} ${d.incidents.length === 1 && !d.cuisineModifier ? "gives" : "add up to"} ${counted(d.score ?? 0, "point")}.${rule} ${relevant}`;
}

/** Incidents and relevant reviews that do not count, oldest first, for one list. */
export type Row =
	| { kind: "incident"; date: string | null; step: Step }
	| { kind: "other"; date: string | null; review: BusinessReview };

export function rowsOf(d: BusinessDetail, score: Score): Row[] {
	const counted = new Set(d.incidents.map((i) => i.reviewId));
	const rows: Row[] = [
		...score.steps.map((step): Row => ({ kind: "incident", date: step.incident.date, step })),
		...d.reviews
			.filter((r) => r.relevant && !counted.has(r.reviewId))
			.map((review): Row => ({ kind: "other", date: review.date, review })),
	];
	// Equal days keep the incidents' own order, so that running sums stay ascending in the list.
	return rows
		.map((row, at) => ({ row, at }))
		.sort((a, b) => (a.row.date ?? "9999").localeCompare(b.row.date ?? "9999") || a.at - b.at)
		.map((x) => x.row);
}

/** Where the sum stands at each row, also at rows that add nothing. */
export function runningOf(rows: Row[]): number[] {
	let sum = 0;
	return rows.map((r) => {
		if (r.kind === "incident") sum = r.step.after;
		return sum;
	});
}

interface GrowthPoint {
	/** The review, counted from 1 in dataset order, at which the score becomes `score`. */
	position: number;
	score: number;
}

/** The score after each review that changed it. The cuisine comes with the first incident, whatever its points. */
export function growthOf(d: BusinessDetail): GrowthPoint[] {
	const position = new Map(d.reviews.map((r) => [r.reviewId, r.position]));
	const ordered = d.incidents
		.map((i) => ({ position: position.get(i.reviewId) ?? 0, points: i.weightedPoints }))
		.sort((a, b) => a.position - b.position);
	let score = 0;
	return ordered.map((i, n) => {
		score += i.points + (n === 0 ? (d.cuisineModifier?.points ?? 0) : 0);
		return { position: i.position, score };
	});
}
