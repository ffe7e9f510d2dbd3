// The fake's what-if over the invented judgments: points policies move thresholds, points and recency; rules move two counts.

import type {
	Knob,
	KnobChange,
	PolicyDraft,
	PolicySummary,
	WhatIfOutcome,
	WhatIfPage,
	WhatIfQuery,
	WhatIfRequest,
} from "../bindings";
import { topicById } from "./catalog";
import { refuse } from "./errors";
import { judgments, type Numbers, numbersOf, outcome } from "./verdicts";
import type { Business } from "./world";

const knob = (
	id: string,
	kind: Knob["kind"],
	label: string,
	path: string,
	value: number,
	rest: Partial<Knob> = {},
): Knob => ({
	knob: id,
	kind,
	label,
	path,
	value,
	min: 0,
	max: Math.max(20, 2 * value),
	step: 1,
	verdictIndex: null,
	bound: null,
	...rest,
});

/** The one policy of one's own that the fake keeps: V3 under another name. */
export function ownPolicy(topic: string): PolicySummary | null {
	const like = topicById.get(topic)?.policies[3];
	return like ? { ...like, policy: `${topic}_V10`, variant: "V10", title: "Of your own" } : null;
}

const policyOf = (query: WhatIfQuery) => {
	const policies = topicById.get(query.topic)?.policies ?? [];
	const at = policies.findIndex((p) => p.policy === query.policy);
	const own = ownPolicy(query.topic);
	if (own?.policy === query.policy) return { at: 3, summary: own };
	return at < 0
		? refuse("notFound", `The topic ${query.topic} has no policy ${query.policy}.`)
		: { at, summary: policies[at]! };
};

function knobsOf(query: WhatIfQuery): Knob[] {
	const { at, summary } = policyOf(query);
	const n = numbersOf(at, query.k);
	const turn = (bad: number) => (summary.worstFirst ? 2 - bad : bad);
	const weights = [
		knob("weight.0", "weight", "gpt-5-mini", "ensemble[gpt-5-mini].weight", 2, { min: 0.5, max: 5, step: 0.5 }),
		knob("weight.1", "weight", "gpt-5-nano ×3", "ensemble[gpt-5-nano].weight", 1, { min: 0.5, max: 5, step: 0.5 }),
	];
	if (!summary.scored)
		return [
			knob(
				"count.0.1",
				"count",
				"At least 2 moderate incidents, first-hand",
				"rules[CRITICAL].conditions[2].min_count",
				n.moderate,
				{
					min: 1,
					max: 10,
					verdictIndex: turn(2),
				},
			),
			knob(
				"count.1.0",
				"count",
				"At least 1 mild or moderate incident, first-hand",
				"rules[HIGH].conditions[1].min_count",
				n.any,
				{
					min: 1,
					max: 10,
					verdictIndex: turn(1),
				},
			),
			...weights,
		];
	const threshold = (i: number, bad: number, value: number) =>
		knob(
			`threshold.${i}`,
			"threshold",
			summary.verdicts[turn(bad)]!,
			`thresholds[${summary.verdicts[turn(bad)]}].min_score`,
			value,
			{
				verdictIndex: turn(bad),
				bound: "min",
			},
		);
	return [
		threshold(0, 2, n.thresholds[1]),
		threshold(1, 1, n.thresholds[0]),
		...Object.entries(n.points).map(([severity, value], i) =>
			knob(
				`points.${i}`,
				"points",
				`${severity[0]!.toUpperCase()}${severity.slice(1)} incident`,
				`severity_points[${severity}].points`,
				value,
			),
		),
		...(at === 3
			? n.recency.map((value, i) =>
					knob(
						`recency.${i}`,
						"recency",
						["Up to 1 years", "1 to 3 years", "Older than 3 years"][i]!,
						`recency_rules[${i}].weight_multiplier`,
						value,
						{
							max: 1,
							step: 0.05,
						},
					),
				)
			: []),
		...weights,
	];
}

function moved(query: WhatIfQuery, changes: KnobChange[]): Numbers {
	const n = structuredClone(numbersOf(policyOf(query).at, query.k));
	const severities = Object.keys(n.points);
	for (const { knob, value } of changes) {
		const [kind, first, second] = knob.split(".");
		const at = Number(first);
		if (kind === "threshold") n.thresholds[at === 0 ? 1 : 0] = value;
		else if (kind === "points") n.points[severities[at]!] = value;
		else if (kind === "recency") n.recency[at] = value;
		else if (kind === "count") n[second === "1" ? "moderate" : "any"] = value;
	}
	return n;
}

export function tryOut(businesses: Business[], request: WhatIfRequest, knownK: number): WhatIfOutcome {
	const { query, changes } = request;
	const { at, summary } = policyOf(query);
	const known = knobsOf(query);
	for (const c of changes)
		if (!known.some((k) => k.knob === c.knob)) refuse("notFound", `The policy has nothing called ${c.knob} to move.`);
	const settled = businesses.map((b) => judgments(b, query.topic, query.k, knownK));
	const judge = (i: number, n: Numbers) => outcome(businesses[i]!, settled[i]!, at, query.k, summary.worstFirst, n);
	const [asIs, changed] = [moved(query, []), moved(query, changes)];
	const before = businesses.map((_, i) => judge(i, asIs));
	const after = changes.length === 0 ? before : businesses.map((_, i) => judge(i, changed));
	const alone = changes.map((c) => ({ c, n: moved(query, [c]) }));
	const counts = (all: typeof before) => summary.verdicts.map((_, i) => all.filter((o) => o.verdictIndex === i).length);
	const scores = new Map<string, { score: number; verdictIndex: number | null; count: number }>();
	for (const o of after) {
		if (o.score === null) continue;
		const key = `${o.score} ${o.verdictIndex}`;
		const had = scores.get(key) ?? { score: o.score, verdictIndex: o.verdictIndex, count: 0 };
		scores.set(key, { ...had, count: had.count + 1 });
	}
	return {
		countsBefore: counts(before),
		counts: counts(after),
		withoutVerdict: after.filter((o) => o.verdictIndex === null).length,
		matrix: summary.verdicts.map((_, x) =>
			summary.verdicts.map(
				(_, y) => before.filter((o, i) => o.verdictIndex === x && after[i]!.verdictIndex === y).length,
			),
		),
		flips: businesses.flatMap((b, i) => {
			const [was, is] = [before[i]!, after[i]!];
			if (was.verdictIndex === is.verdictIndex) return [];
			return [
				{
					business: b.id,
					name: b.name,
					before: was.verdictIndex,
					after: is.verdictIndex,
					scoreBefore: was.score,
					score: is.score,
					causes: alone.filter((a) => judge(i, a.n).verdictIndex === is.verdictIndex).map((a) => a.c.knob),
				},
			];
		}),
		scores: [...scores.values()].sort((a, b) => a.score - b.score),
	};
}

export function openPage(businesses: Business[], query: WhatIfQuery, knownK: number): WhatIfPage {
	const { at, summary } = policyOf(query);
	return {
		query,
		summary,
		knobs: knobsOf(query),
		referenceDate: at === 3 ? "2022-01-01" : null,
		missingJudgments: businesses.reduce((sum, b) => sum + Math.max(0, Math.min(query.k, b.reviews) - knownK), 0),
		outcome: tryOut(businesses, { query, changes: [] }, knownK),
	};
}

export function draftOf(request: WhatIfRequest, name: string): PolicyDraft {
	if (!name.trim()) refuse("invalidInput", "The policy needs a name.", { safe: "Nothing was saved." });
	const { query, changes } = request;
	const known = knobsOf(query);
	const of = (c: KnobChange) => known.find((k) => k.knob === c.knob)!;
	const own = changes.filter((c) => of(c).kind !== "weight");
	if (own.length === 0)
		refuse("invalidInput", "Nothing that belongs to the policy was moved.", { safe: "Nothing was saved." });
	return {
		policy: `${query.topic}_V10`,
		variant: "V10",
		file: `policies/${query.topic.replace("_", "/")}/V10.yaml`,
		lines: [
			{ kind: "removed", text: `policy_id: ${query.policy}` },
			{ kind: "added", text: `policy_id: ${query.topic}_V10` },
			...own.flatMap((c) => [
				{ kind: "removed" as const, text: `${of(c).path}: ${of(c).value}` },
				{ kind: "added" as const, text: `${of(c).path}: ${c.value}` },
			]),
		],
		leftOut: changes.filter((c) => of(c).kind === "weight").map((c) => c.knob),
	};
}
