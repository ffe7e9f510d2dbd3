// The tables of the pages as they are kept: ids beside names, times as ISO 8601 in UTC, money in US dollars, values as the catalog
// names them. What a page abbreviates is whole here. Tables of figures that a chart draws stand with the chart.

import type {
	Activity,
	BusinessDetail,
	DatasetSummary,
	EnsembleAdvice,
	EnsembleMember,
	Estimate,
	KnobChange,
	LabelDetail,
	OverrideEntry,
	PolicyCertainty,
	QueueLabel,
	ReviewDetail,
	RunDetail,
	RunSummary,
	TrustQuestion,
	TrustReport,
	WhatIfFlip,
	WhatIfPage,
} from "./backend";
import type { Table } from "./csv";

const iso = (at: number | null): string | null => (at === null ? null : new Date(at * 1000).toISOString());
const usd = (amount: number): number => Number(amount.toFixed(6));

export const runsTable = (runs: RunSummary[]): Table => ({
	head: [
		...["run", "topic", "name", "dataset", "K", "state", "reason", "requests", "answered", "votes stored", "failed"],
		...["estimate, USD", "charged, USD", "sandbox", "started", "finished"],
	],
	rows: runs.map((r) => [
		...[r.run, r.topic, r.topicName, r.datasetName, r.k, r.state, r.reason, r.requests, r.completed, r.ingested],
		...[r.failed, usd(r.usdEstimated), r.sandbox ? 0 : usd(r.usdSpent), r.sandbox ? "yes" : "no"],
		...[iso(r.createdAt), iso(r.finishedAt)],
	]),
});

export const batchesTable = (d: RunDetail): Table => ({
	head: [
		...["batch", "model", "state", "requests", "answered", "failed", "provider's id"],
		...["planned", "sent", "running since", "finalizing since", "finished", "ingested", "error code", "error"],
	],
	rows: d.batches.map((b) => [
		...[b.batch, b.model, b.state, b.requests, b.completed, b.failed, b.providerId],
		...[b.plannedAt, b.createdAt, b.startedAt, b.finalizingAt, b.finishedAt, b.ingestedAt].map(iso),
		...[b.errorCode, b.errorMessage],
	]),
});

export const failuresTable = (d: RunDetail): Table => ({
	head: ["cause", "provider's code", "model", "requests", "can be asked again", "asking again, USD", "example"],
	rows: d.failures.map((f) => [
		...[f.cause, f.providerCode, f.model, f.count, f.retryable ? "yes" : "no"],
		...[f.retryable && !d.summary.sandbox ? usd(f.usdRetry) : 0, f.example],
	]),
});

export const activityTable = (list: Activity[]): Table => ({
	head: ["time", "kind", "severity", "title", "text", "run"],
	rows: list.map((a) => [iso(a.at), a.kind, a.severity, a.title, a.body, a.run]),
});

export const queueTable = (labels: QueueLabel[]): Table => ({
	head: ["review", "business", "name", "field", "value", "rival", "doubt", "confidence", "verdicts that hang on it"],
	rows: labels.map((l) => [
		...[l.reviewId, l.business, l.businessName, l.field, l.value, l.rival, l.doubt, l.confidence, l.verdicts],
	]),
});

/** One row a corrected field. */
export const trailTable = (entries: OverrideEntry[]): Table => ({
	head: ["number", "time", "review", "business", "kind", "field", "votes said", "person said", "reason", "holds"],
	rows: entries.flatMap((e) =>
		e.fields.map((f) => [
			...[e.number, iso(e.at), e.reviewId, e.business, e.kind, f.field, f.voted, f.value, e.reason],
			e.holds ? "yes" : "no",
		]),
	),
});

export function flipsTable(page: WhatIfPage, rows: WhatIfFlip[], because: (flip: WhatIfFlip) => string): Table {
	const word = (index: number | null) => (index === null ? null : (page.summary.verdicts[index] ?? null));
	return {
		head: ["business", "name", "score before", "score after", "verdict before", "verdict after", "because"],
		rows: rows
			.filter((f) => f.before !== f.after)
			.map((f) => [f.business, f.name, f.scoreBefore, f.score, word(f.before), word(f.after), because(f)]),
	};
}

/** What was moved of a policy, as it would stand in its file. */
export const differenceTable = (page: WhatIfPage, changes: KnobChange[]): Table => ({
	head: ["policy", "value", "name", "before", "after"],
	rows: changes.flatMap((c) => {
		const knob = page.knobs.find((k) => k.knob === c.knob);
		return knob ? [[page.query.policy, knob.path, knob.label, knob.value, c.value]] : [];
	}),
});

/** What every value of a label would make of the verdicts; the present one is marked. */
export const outcomesTable = (d: LabelDetail): Table => ({
	head: ["review", "field", "value", "now", "weight", ...d.policies.map((p) => p.policy)],
	rows: d.field.values.map((v, i) => [
		...[d.query.reviewId, d.query.field, v.id, v.id === d.value ? "yes" : "no", d.outcomes[i]?.weight ?? null],
		...d.policies.map((p, at) => {
			const index = d.outcomes[i]?.verdicts[at] ?? null;
			return index === null ? null : (p.verdicts[index] ?? null);
		}),
	]),
});

/** The ensemble as it is planned; what a model would be asked and cost only where that is known. */
export const ensembleTable = (members: EnsembleMember[], estimate: Estimate | null): Table => ({
	head: [
		...["model", "votes a review", "weight", "in place of", "USD per 1 M tokens in", "USD per 1 M tokens out"],
		...["requests", "cost, USD"],
	],
	rows: members.map((m) => {
		const part = estimate?.perModel.find((p) => p.model === m.model);
		return [
			...[m.model, m.runs, m.weight, m.replaces?.join("; ") ?? null],
			...[part?.inputPriceUsd ?? null, part?.outputPriceUsd ?? null, part?.requests ?? null],
			part && part.inputPriceUsd !== null ? usd(part.usd) : null,
		];
	}),
});

export const incidentsTable = (d: BusinessDetail): Table => ({
	head: [
		...["review", "date", "field", "value", "severity", "points", "modifiers", "with modifiers", "recency weight"],
		"counted points",
	],
	rows: d.incidents.map((i) => [
		...[i.reviewId, i.date, i.severityField, i.severityValue, i.severityLabel, i.basePoints],
		...[i.modifiers.map((m) => `${m.label} ${m.points}`).join("; "), i.totalPoints, i.recencyWeight, i.weightedPoints],
	]),
});

export const reviewsTable = (d: BusinessDetail): Table => ({
	head: ["review", "place", "date", "stars", "votes", "relevant", "counted", "why not", "lowest confidence"],
	rows: d.reviews.map((r) => [
		...[r.reviewId, r.position, r.date, r.stars, r.state, r.relevant ? "yes" : "no", r.counted ? "yes" : "no"],
		...[r.why, r.leastSure],
	]),
});

/** One row a vote; the consensus stands last. */
export function votesTable(r: ReviewDetail): Table {
	const yes = (relevant: boolean | null) => (relevant === null ? null : relevant ? "true" : "false");
	return {
		head: ["review", "model", "run", "weight", "is_relevant", ...r.fields.map((f) => f.field.field)],
		rows: [
			...r.votes.map((v) => [r.query.reviewId, v.model, v.run, v.weight, yes(v.relevant), ...v.values]),
			[r.query.reviewId, "consensus", null, null, yes(r.relevance.relevant), ...r.fields.map((f) => f.value)],
		],
	};
}

export const datasetsTable = (datasets: DatasetSummary[]): Table => ({
	head: ["dataset", "businesses", "reviews", "most reviews of one business", "imported"],
	rows: datasets.map((d) => [d.name, d.businesses, d.reviews, d.reviewsBusinessMax, iso(d.importedAt)]),
});

export const aggregatorsTable = (report: TrustReport): Table => ({
	head: ["aggregator", "learns from labels", "right, percent", "95 % from", "95 % to", "labels", "in use"],
	rows: report.aggregators.map((a) => [
		...[a.name, a.crossFitted ? "yes" : "no", a.accuracy?.percent ?? null, a.accuracy?.lowPercent ?? null],
		...[a.accuracy?.highPercent ?? null, a.accuracy?.n ?? null],
		a.aggregator === report.applied.aggregator ? "yes" : "no",
	]),
});

export const agreementTable = (questions: TrustQuestion[]): Table => ({
	head: ["question", "figure", "value", "in words"],
	rows: questions.flatMap((q) => q.figures.map((f) => [q.field ?? "is_relevant", f.name, f.value, f.words])),
});

/** What each model said where another said something: one row a pair of models and a pair of values. */
export const confusionTable = (questions: TrustQuestion[]): Table => ({
	head: ["question", "model", "says", "other model", "other says", "reviews"],
	rows: questions.flatMap((q) =>
		q.confusions.flatMap((c) =>
			c.counts.flatMap((row, i) =>
				row.map((n, j) => [q.field ?? "is_relevant", c.a, q.values[i] ?? null, c.b, q.values[j] ?? null, n]),
			),
		),
	),
});

/** One row a business of each policy, the likeliest to be wrong first. */
export const certaintyTable = (policies: PolicyCertainty[]): Table => ({
	head: ["policy", "business", "name", "verdict", "probability", "standard error"],
	rows: policies.flatMap((p) =>
		p.businesses.map((b) => [p.policy, b.business, b.name, b.verdict, b.probability, b.standardError]),
	),
});

export const adviceTable = (advice: EnsembleAdvice): Table => ({
	head: ["what", "runs", "cost, USD", "same answers, percent", "in words"],
	rows: [
		...advice.runs.map((r) => ["a run", r.judge, r.usd === null ? null : usd(r.usd), null, r.words]),
		...advice.alternatives.map((a) => [
			...["an ensemble", a.judges.join("; "), a.usd === null ? null : usd(a.usd), a.samePercent, null],
		]),
	],
});
