// Comparisons of the fake: the same two tables side by side, and the same table at many K.

import type { CompareQuery, Comparison, ConfidenceOverview, ResultsRow, VerdictsByK, Why } from "../bindings";
import { topicById } from "./catalog";
import { judgments, overview } from "./verdicts";
import type { Business } from "./world";

export function compare(businesses: Business[], query: CompareQuery, knownK: number): Comparison {
	const { policies } = topicById.get(query.topic)!;
	const at = (k: number) => overview(businesses, { ...query, k, compareK: null }, knownK, 0).rows;
	const [one, other] = [at(query.before.k), at(query.after.k)];
	const place = (id: string) => policies.findIndex((p) => p.policy === id);
	const [p, q] = [place(query.before.policy), place(query.after.policy)];
	const [before, after] = [policies[p]!, policies[q]!];
	const flow = [...before.verdicts, ""].map(() => [...after.verdicts, ""].map(() => 0));
	const cell = (r: ResultsRow, v: number) => ({
		verdictIndex: r.verdicts[v]!.verdictIndex,
		score: r.verdicts[v]!.score,
		rule: r.verdicts[v]!.score === null ? "HIGH" : null,
		incidents: r.incidents,
	});
	const changed: Comparison["changed"] = [];
	one.forEach((r, i) => {
		const [a, b] = [cell(r, p), cell(other[i]!, q)];
		flow[a.verdictIndex ?? before.verdicts.length]![b.verdictIndex ?? after.verdicts.length]! += 1;
		if (a.verdictIndex === b.verdictIndex) return;
		const why: Why[] = [];
		if (query.before.k !== query.after.k)
			why.push({
				kind: "reviews",
				reviews: Math.abs(query.after.k - query.before.k),
				incidents: Math.max(1, Math.abs(b.incidents - a.incidents)),
				points: b.score === null || a.score === null ? null : Math.abs(b.score - a.score),
				gained: query.after.k > query.before.k,
			});
		if (before.scored && after.scored && p !== q && a.score !== b.score)
			why.push({ kind: "points", incidents: b.incidents, before: a.score ?? 0, after: b.score ?? 0 });
		if (before.scored !== after.scored)
			why.push({
				kind: "method",
				points: a.score ?? b.score ?? 0,
				rule: a.rule ?? b.rule ?? "",
				pointsAfter: after.scored,
			});
		if (!before.scored && !after.scored) why.push({ kind: "rule", before: a.rule ?? "", after: b.rule ?? "" });
		if (why.length === 0) why.push({ kind: "threshold", verdict: after.verdicts[1] ?? "", before: 6, after: 4 });
		changed.push({ business: r.business, name: r.name, before: a, after: b, why });
	});
	return { query, before, after, businesses: businesses.length, flow, changed };
}

export function byK(businesses: Business[], dataset: string, topic: string, knownK: number): VerdictsByK {
	const { policies } = topicById.get(topic)!;
	const ks = knownK ? [...[5, 10, 25, 50, 75, 100, 150, 200].filter((k) => k < knownK), knownK] : [];
	const pages = ks.map((k) => overview(businesses, { dataset, topic, k, compareK: null }, knownK, 0));
	return {
		dataset,
		topic,
		ks,
		policies: policies.map((summary, v) => ({
			summary,
			steps: pages.map((page, i) => ({
				k: ks[i]!,
				counts: page.policies[v]!.counts,
				withoutVerdict: page.policies[v]!.withoutVerdict,
				moved: i
					? page.rows.filter((r, b) => r.verdicts[v]!.verdictIndex !== pages[i - 1]!.rows[b]!.verdicts[v]!.verdictIndex)
							.length
					: 0,
				reviewsIncomplete: page.reviewsIncomplete,
			})),
		})),
	};
}

export function confidence(
	businesses: Business[],
	dataset: string,
	topic: string,
	k: number,
	knownK: number,
): ConfidenceOverview {
	const all = businesses.flatMap((b) => judgments(b, topic, k, knownK));
	const relevant = all.filter((j) => j.relevant);
	return {
		dataset,
		topic,
		k,
		reviews: all.length,
		relevant: relevant.length,
		fields: topicById.get(topic)!.fields.map((field, f) => {
			const sure = relevant.filter((j) => j.counted[f]).map((j) => j.agreeing[f]! / j.counted[f]!);
			const bar = (c: number) => (c >= 1 ? 9 : c >= 0.8 ? 8 : Math.floor(c * 10 + 1e-9));
			return {
				field,
				labels: sure.length,
				unanimous: sure.filter((c) => c >= 1).length,
				tied: relevant.filter((j) => j.tied[f]).length,
				unset: relevant.length - sure.length,
				meanConfidence: sure.length ? sure.reduce((a, c) => a + c, 0) / sure.length : null,
				histogram: Array.from({ length: 10 }, (_, i) => sure.filter((c) => bar(c) === i).length),
			};
		}),
	};
}
