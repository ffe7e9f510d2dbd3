// Comparisons of the fake: the same two tables side by side, and the same table at many K.

import type { CompareQuery, Comparison, ResultsRow, VerdictsByK, Why } from "../bindings";
import { topicById } from "./catalog";
import { overview } from "./verdicts";
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
		if (before.scored && after.scored && p !== q)
			why.push({ kind: "points", incidents: b.incidents, before: a.score ?? 0, after: b.score ?? 0 });
		if (before.scored !== after.scored)
			why.push({
				kind: "method",
				points: a.score ?? b.score ?? 0,
				rule: a.rule ?? b.rule ?? "",
				pointsAfter: after.scored,
			});
		if (!before.scored && !after.scored) why.push({ kind: "rule", before: a.rule ?? "", after: b.rule ?? "" });
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
