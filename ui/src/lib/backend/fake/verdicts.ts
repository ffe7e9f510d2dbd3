// Verdicts of the fake: two rule policies and two point policies over the invented judgments.

import type {
	BusinessDetail,
	BusinessQuery,
	ConditionOutcome,
	Incident,
	ResultsOverview,
	ResultsQuery,
	RuleOutcome,
} from "../bindings";
import { topicById } from "./catalog";
import { type Business, type Judgment, judge } from "./world";

/** The numbers of a policy that can be moved. */
export interface Numbers {
	points: Record<string, number>;
	recency: number[];
	/** High, critical. */
	thresholds: [number, number];
	/** Moderate incidents for critical, incidents for high. */
	moderate: number;
	any: number;
}

export const numbersOf = (variant: number, k: number): Numbers => ({
	points: { mild: 2, moderate: 5, severe: 15 },
	recency: [1, 0.5, 0.25],
	thresholds: thresholds(variant, k),
	moderate: 2,
	any: 1,
});

const labels: Record<string, string> = {
	mild: "Mild incident",
	moderate: "Moderate incident",
	severe: "Severe incident",
};

export function judgments(business: Business, topic: string, k: number, knownK: number): Judgment[] {
	const n = Math.min(k, knownK, business.reviews);
	return Array.from({ length: n }, (_, i) => judge(business, i, topic));
}

function recency(date: string, weights: number[]): number {
	const age = (Date.UTC(2022, 0, 1) - Date.parse(`${date}T00:00:00Z`)) / 86400000 / 365.25;
	return weights[age <= 1 ? 0 : age <= 3 ? 1 : 2]!;
}

function incidentsOf(js: Judgment[], weighted: boolean, numbers = numbersOf(0, 0)): Incident[] {
	const { points } = numbers;
	return js
		.filter((j) => j.relevant && j.values[0] === "firsthand" && points[j.values[1] ?? ""])
		.map((j) => {
			const severity = j.values[1]!;
			const modifiers = [];
			if (j.values[2] === "false") modifiers.push({ label: "false assurance", points: 5 });
			if (j.values[3] === "dismissive") modifiers.push({ label: "dismissive staff", points: 3 });
			const total = points[severity]! + modifiers.reduce((a, m) => a + m.points, 0);
			const weight = weighted ? recency(j.review.date, numbers.recency) : 1;
			return {
				reviewId: j.review.id,
				date: j.review.date,
				severityField: "incident_severity",
				severityValue: severity,
				severityLabel: labels[severity]!,
				basePoints: points[severity]!,
				modifiers,
				totalPoints: total,
				recencyWeight: weight,
				weightedPoints: Math.trunc(total * weight),
				agreement: { weightAgreeing: j.agreeing[1]!, weightCounted: j.counted[1]! },
			};
		})
		.sort((a, b) => a.date.localeCompare(b.date));
}

const cuisine = (b: Business) =>
	/Thai|Vietnamese|Chinese|Asian/i.test(b.categories) ? { label: "High-risk cuisine", points: 2 } : null;

function thresholds(variant: number, k: number): [number, number] {
	if (variant === 3) return k >= 50 ? [4, 8] : [3, 6];
	return k >= 50 ? [6, 14] : [4, 10];
}

function rulesOf(js: Judgment[], variant: number, numbers = numbersOf(0, 0)): RuleOutcome[] {
	const first = js.filter((j) => j.relevant && j.values[0] === "firsthand");
	const condition = (text: string, needed: number, test: (j: Judgment) => boolean): ConditionOutcome => {
		const hits = first.filter(test);
		return { text, needed, count: hits.length, holds: hits.length >= needed, reviewIds: hits.map((j) => j.review.id) };
	};
	const critical = [
		condition("At least 1 severe incident, first-hand", 1, (j) => j.values[1] === "severe"),
		condition("At least 2 moderate incidents, first-hand", numbers.moderate, (j) => j.values[1] === "moderate"),
	];
	if (variant === 1)
		critical.push(
			condition(
				"A moderate incident that staff dismissed",
				1,
				(j) => j.values[1] === "moderate" && j.values[3] === "dismissive",
			),
		);
	const high = [
		condition("At least 1 mild or moderate incident, first-hand", numbers.any, (j) =>
			["mild", "moderate"].includes(j.values[1] ?? ""),
		),
	];
	const rules: RuleOutcome[] = [
		{
			verdictIndex: 2,
			label: "CRITICAL",
			logic: "any",
			default: false,
			holds: critical.some((c) => c.holds),
			matched: false,
			conditions: critical,
		},
		{
			verdictIndex: 1,
			label: "HIGH",
			logic: "any",
			default: false,
			holds: high.some((c) => c.holds),
			matched: false,
			conditions: high,
		},
		{ verdictIndex: 0, label: "LOW", logic: "any", default: true, holds: true, matched: false, conditions: [] },
	];
	rules.find((r) => r.holds)!.matched = true;
	return rules;
}

interface Outcome {
	verdictIndex: number | null;
	score: number | null;
}

/** `bad` counts from best to worst; a worst-first policy turns it round. */
export function outcome(
	business: Business,
	js: Judgment[],
	variant: number,
	k: number,
	worstFirst: boolean,
	numbers = numbersOf(variant, k),
): Outcome {
	if (js.length === 0) return { verdictIndex: null, score: null };
	const turn = (bad: number) => (worstFirst ? 2 - bad : bad);
	if (variant < 2)
		return { verdictIndex: turn(rulesOf(js, variant, numbers).find((r) => r.matched)!.verdictIndex), score: null };
	const incidents = incidentsOf(js, variant === 3, numbers);
	const score =
		incidents.reduce((a, i) => a + i.weightedPoints, 0) + (incidents.length ? (cuisine(business)?.points ?? 0) : 0);
	const [high, critical] = numbers.thresholds;
	return { verdictIndex: turn(score >= critical ? 2 : score >= high ? 1 : 0), score };
}

function leastSure(js: Judgment[]): number | null {
	const all = js.filter((j) => j.relevant && j.counted[1]).map((j) => j.agreeing[1]! / j.counted[1]!);
	return all.length ? Math.min(...all) : null;
}

/** What settles votes unless a person chose another. */
const weightedMajority = { aggregator: "weightedMajority" as const, name: "weighted majority", kept: [] };

export function overview(businesses: Business[], query: ResultsQuery, knownK: number, failed: number): ResultsOverview {
	const policies = topicById.get(query.topic)!.policies;
	let reviews = 0;
	let incomplete = 0;
	const rows = businesses.map((b) => {
		const js = judgments(b, query.topic, query.k, knownK);
		const before = query.compareK ? judgments(b, query.topic, query.compareK, knownK) : null;
		const used = Math.min(query.k, b.reviews);
		reviews += used;
		incomplete += used - js.length;
		return {
			business: b.id,
			name: b.name,
			categories: b.categories,
			relevant: js.filter((j) => j.relevant).length,
			reviews: used,
			reviewsComplete: js.length,
			incidents: incidentsOf(js, true).length,
			verdicts: policies.map((p, v) => {
				const cell = outcome(b, js, v, query.k, p.worstFirst);
				return {
					...cell,
					comparedIndex: before ? outcome(b, before, v, query.compareK!, p.worstFirst).verdictIndex : null,
				};
			}),
			provisional: js.length < used,
			leastSure: leastSure(js),
		};
	});
	return {
		query,
		applied: weightedMajority,
		rows,
		reviews,
		reviewsIncomplete: incomplete + failed,
		missing: [
			...(incomplete ? [{ reason: "neverAsked" as const, model: "gpt-5-mini", count: incomplete * 4 }] : []),
			...(failed ? [{ reason: "failed" as const, model: "gpt-5-mini", count: failed }] : []),
		],
		policies: policies.map((summary, v) => {
			const counts = summary.verdicts.map((_, i) => rows.filter((r) => r.verdicts[v]!.verdictIndex === i).length);
			return {
				summary,
				counts,
				countsCompared: query.compareK
					? summary.verdicts.map((_, i) => rows.filter((r) => r.verdicts[v]!.comparedIndex === i).length)
					: null,
				withoutVerdict: rows.filter((r) => r.verdicts[v]!.verdictIndex === null).length,
				moved: query.compareK
					? rows.filter((r) => r.verdicts[v]!.comparedIndex !== r.verdicts[v]!.verdictIndex).length
					: 0,
			};
		}),
	};
}

export function detail(b: Business, query: BusinessQuery, knownK: number): BusinessDetail {
	const policies = topicById.get(query.topic)!.policies;
	const variant = Math.max(
		0,
		policies.findIndex((p) => p.policy === query.policy),
	);
	const { worstFirst, scored } = policies[variant]!;
	const js = judgments(b, query.topic, query.k, knownK);
	const before = query.compareK ? judgments(b, query.topic, query.compareK, knownK) : null;
	const incidents = scored ? incidentsOf(js, variant === 3) : [];
	const rules = scored
		? []
		: rulesOf(js, variant).map((r) => ({ ...r, verdictIndex: worstFirst ? 2 - r.verdictIndex : r.verdictIndex }));
	const [high, critical] = thresholds(variant, query.k);
	const mine = outcome(b, js, variant, query.k, worstFirst);
	const counting = new Set(
		scored ? incidents.map((i) => i.reviewId) : rules.flatMap((r) => r.conditions.flatMap((c) => c.reviewIds)),
	);
	return {
		query,
		applied: weightedMajority,
		name: b.name,
		categories: b.categories,
		reviewsTotal: b.reviews,
		reviewsUsed: Math.min(query.k, b.reviews),
		reviewsComplete: js.length,
		reviewsRelevant: js.filter((j) => j.relevant).length,
		provisional: js.length < Math.min(query.k, b.reviews),
		policies: policies.map((summary, v) => {
			const compared = before ? outcome(b, before, v, query.compareK!, summary.worstFirst) : null;
			return {
				summary,
				cell: { ...outcome(b, js, v, query.k, summary.worstFirst), comparedIndex: compared?.verdictIndex ?? null },
				scoreCompared: compared?.score ?? null,
			};
		}),
		verdictIndex: mine.verdictIndex,
		score: mine.score,
		thresholds: scored
			? [
					{ verdictIndex: 1, bound: "min", points: high },
					{ verdictIndex: worstFirst ? 0 : 2, bound: "min", points: critical },
				]
			: [],
		rules,
		incidents,
		cuisineModifier: incidents.length ? cuisine(b) : null,
		reviews: Array.from({ length: Math.min(query.k, b.reviews) }, (_, i) => {
			const j = judge(b, i, query.topic);
			const known = i < js.length;
			return {
				reviewId: j.review.id,
				position: i + 1,
				date: j.review.date,
				stars: j.review.stars,
				excerpt: j.review.text.slice(0, 160),
				state: known ? ("complete" as const) : ("unasked" as const),
				relevant: known && j.relevant,
				counted: counting.has(j.review.id),
				why:
					known && j.relevant && !counting.has(j.review.id)
						? j.values[0] === "secondhand"
							? "second-hand, not counted"
							: "no incident"
						: null,
				consensus: known ? j.values : [null, null, null, null],
				leastSure: known && j.relevant ? Math.min(...j.agreeing.map((a, f) => a / Math.max(1, j.counted[f]!))) : null,
			};
		}),
	};
}
