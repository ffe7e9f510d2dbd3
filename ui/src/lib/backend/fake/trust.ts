// The fake's trust in the votes: invented figures, and a labelling session that works as the program's does.

import type {
	AggregatorId,
	AggregatorScore,
	AppliedAggregator,
	EnsembleAdvice,
	GoldLabelRequest,
	LabelSession,
	Share,
	TrustQuery,
	TrustReport,
	ValueQueue,
	VerdictCertainties,
} from "../bindings";
import { topicById } from "./catalog";
import { refuse } from "./errors";
import { type Business, reviewOf } from "./world";

const names: Record<AggregatorId, string> = {
	majority: "majority",
	weightedMajority: "weighted majority",
	bestSingle: "best single model",
	dawidSkene: "Dawid–Skene",
	oneCoin: "one-coin Dawid–Skene",
	calibrated: "calibrated weights",
	anchored: "gold-anchored Dawid–Skene",
	stacked: "learned blend",
};
const learns: AggregatorId[] = ["bestSingle", "calibrated", "anchored", "stacked"];
const enough = 20;

interface Draw {
	number: number;
	reviews: { business: Business; index: number }[];
	/** By place in the sample, in the order of labelling. */
	labels: Map<number, GoldLabelRequest>;
}

export class FakeTrust {
	#draws = new Map<string, Draw>();
	#chosen = new Map<string, AggregatorId>();
	#numbers = 0;

	#labelled(query: TrustQuery): number {
		return this.#draws.get(query.topic)?.labels.size ?? 0;
	}

	applied(query: TrustQuery): AppliedAggregator {
		const aggregator = this.#chosen.get(query.topic) ?? "weightedMajority";
		return { aggregator, name: names[aggregator], kept: [] };
	}

	choose(query: TrustQuery, aggregator: AggregatorId): AppliedAggregator {
		if (learns.includes(aggregator) && this.#labelled(query) < 5)
			refuse(
				"invalidInput",
				`The ${names[aggregator]} learns from gold labels, and the topic has ${this.#labelled(query)}.`,
				{
					safe: "The aggregator is unchanged.",
					action: "Label a sample of reviews first.",
				},
			);
		this.#chosen.set(query.topic, aggregator);
		return this.applied(query);
	}

	session(query: TrustQuery): LabelSession {
		const fields = topicById.get(query.topic)!.fields;
		const draw = this.#draws.get(query.topic);
		if (!draw) return { draw: null, total: 0, labelled: 0, next: null, fields };
		const at = draw.reviews.findIndex((_, i) => !draw.labels.has(i));
		const next = draw.reviews[at];
		const review = next && reviewOf(next.business, next.index);
		return {
			draw: draw.number,
			total: draw.reviews.length,
			labelled: draw.labels.size,
			next: review ? { reviewId: review.id, business: next.business.name, date: review.date, text: review.text } : null,
			fields,
		};
	}

	draw(query: TrustQuery, size: number, businesses: Business[], knownK: number): LabelSession {
		const all = businesses.flatMap((business) =>
			Array.from({ length: Math.min(business.reviews, query.k, knownK) }, (_, index) => ({ business, index })),
		);
		if (all.length === 0)
			refuse("invalidInput", "There is no review to draw: none within K has all its votes and no label yet.");
		const step = Math.max(1, Math.floor(all.length / size));
		const reviews = all.filter((_, i) => i % step === 0).slice(0, size);
		this.#draws.set(query.topic, { number: ++this.#numbers, reviews, labels: new Map() });
		return this.session(query);
	}

	label(request: GoldLabelRequest): LabelSession {
		const draw = this.#draws.get(request.query.topic);
		if (!draw || draw.number !== request.draw) return refuse("notFound", `There is no open sample ${request.draw}.`);
		const at = draw.reviews.findIndex((r) => reviewOf(r.business, r.index).id === request.reviewId);
		if (at < 0) refuse("invalidInput", `Review ${request.reviewId} is not in sample ${draw.number}.`);
		draw.labels.set(at, request);
		return this.session(request.query);
	}

	undo(query: TrustQuery): LabelSession {
		const draw = this.#draws.get(query.topic);
		const last = [...(draw?.labels.keys() ?? [])].at(-1);
		if (!draw || last === undefined) return refuse("invalidInput", "There is no label to take back.");
		draw.labels.delete(last);
		return this.session(query);
	}

	report(query: TrustQuery, votes: boolean): TrustReport {
		const n = this.#labelled(query);
		const fields = topicById.get(query.topic)!.fields;
		const share = (percent: number): Share => ({
			percent,
			lowPercent: percent - 12,
			highPercent: Math.min(100, percent + 8),
			n,
		});
		const scores = (all: [AggregatorId, number][]): AggregatorScore[] =>
			n === 0
				? []
				: all.map(([aggregator, percent]) => ({
						aggregator,
						name: names[aggregator],
						crossFitted: learns.includes(aggregator),
						accuracy: share(percent),
						eceRawPercent: 6.5,
						eceScaledPercent: 2.1,
					}));
		const ranked: [AggregatorId, number][] = [
			["majority", 82],
			["weightedMajority", 84],
			["bestSingle", 90],
			["dawidSkene", 79],
			["stacked", 91],
		];
		const question = (field: string | null, label: string, values: string[], ordered: boolean) => ({
			field,
			label,
			values,
			ordered,
			reviews: votes ? 1200 : 0,
			votes: votes ? 4800 : 0,
			gold: n,
			figures: [
				{
					name: "pairwise agreement",
					value: votes ? 0.81 : null,
					words: votes
						? "two votes on the same thing agree 81 times out of 100"
						: "cannot be known: nothing has two votes",
				},
				{
					name: "Krippendorff's alpha",
					value: votes ? 0.62 : null,
					words: votes
						? "low, single votes say little and only many together may be relied on"
						: "cannot be known: nothing has two votes",
				},
				{
					name: "effective number of independent votes",
					value: votes ? 2.1 : null,
					words: votes ? "4.0 votes are worth about 2.1" : "cannot be known: too few votes meet, or none of them errs",
				},
			],
			confusions: votes
				? [
						{
							a: "gpt-5-mini",
							b: "gpt-5-nano",
							agreementPercent: 78,
							counts: values.map((_, a) => values.map((_, b) => (a === b ? 90 : 9))),
						},
					]
				: [],
			models: [
				{ model: "gpt-5-mini", accuracy: n > 0 ? share(90) : null },
				{ model: "gpt-5-nano", accuracy: n > 0 ? share(78) : null },
			],
			aggregators: scores(ranked),
			learned:
				n < 5
					? null
					: {
							judges: [
								{ judge: "gpt-5-mini/1", configured: 2, rightPercent: 90, weight: 2.6 },
								{ judge: "gpt-5-nano/1", configured: 1, rightPercent: 78, weight: 1.2 },
								{ judge: "gpt-5-nano/2", configured: 1, rightPercent: 70, weight: 0.8 },
								{ judge: "gpt-5-nano/3", configured: 1, rightPercent: 61, weight: 0.4 },
							],
							blend: [
								{ aggregator: "majority" as const, name: names.majority, exponent: 0.1 },
								{ aggregator: "bestSingle" as const, name: names.bestSingle, exponent: 0.5 },
							],
							words: `Learned from ${n} gold labels.`,
						},
		});
		const isEnough = n >= enough;
		return {
			query,
			applied: this.applied(query),
			reviews: votes ? 1200 : 0,
			judges: ["gpt-5-mini/1", "gpt-5-nano/1", "gpt-5-nano/2", "gpt-5-nano/3"],
			gold: { labelled: n, stale: 0, enough },
			questions: [
				question(null, "Relevance", ["not relevant", "relevant"], false),
				...fields.map((f, i) =>
					question(
						f.field,
						f.label,
						f.values.map((v) => v.id),
						i === 0,
					),
				),
			],
			aggregators: scores(ranked),
			recommendation: {
				aggregator: isEnough ? "stacked" : "weightedMajority",
				name: isEnough ? names.stacked : names.weightedMajority,
				evidence: isEnough ? "clear" : "tooThin",
				words: isEnough
					? [
							`Use the learned blend: on ${n} gold labels it is right 7.0 points more often than weighted majority (95 % interval +1.0 to +13.0).`,
							"Dawid–Skene loses here: -5.0 points against weighted majority (95 % interval -9.0 to -1.0).",
						]
					: [`Keep weighted majority: ${n} gold labels are too thin to choose by; label at least ${enough}.`],
			},
			unknown: votes
				? [
						isEnough
							? `Differences of a few points between aggregators: ${n} labels cannot show them, as the intervals say.`
							: "Whether the models are right: agreement is not truth, and models that share a mistake look perfect.",
					]
				: ["There are no votes yet, so nothing can be said."],
		};
	}

	certainties(query: TrustQuery, businesses: Business[], votes: boolean): VerdictCertainties {
		const policies = topicById.get(query.topic)!.policies.map((p) => {
			const shown = votes ? businesses.slice(0, 6) : [];
			return {
				policy: p.policy,
				counts: p.verdicts.map((verdict, i) => ({
					verdict,
					stated: i === 0 ? shown.length : 0,
					expected: shown.length / p.verdicts.length,
					low: 0,
					high: shown.length,
				})),
				expectedWrong: shown.length * 0.3,
				businesses: shown.map((b) => ({
					business: b.id,
					name: b.name,
					verdict: p.verdicts[0] ?? "",
					probability: 0.7,
					probabilities: p.verdicts.map((verdict, i) => ({
						verdict,
						probability: i === 0 ? 0.7 : 0.3 / (p.verdicts.length - 1),
					})),
					standardError: null,
					flips: [{ reviewId: `${b.id}::0`, position: 1, chance: 0.2 }],
				})),
			};
		});
		return { applied: this.applied(query), policies, words: ["The probabilities are taken at face value."] };
	}

	advice(query: TrustQuery): EnsembleAdvice {
		return {
			field: topicById.get(query.topic)!.fields[0]?.field ?? null,
			gold: this.#labelled(query),
			runs: [
				{
					judge: "gpt-5-mini/1",
					changedPercent: 12,
					usd: 1.2,
					words:
						"Without it 12.0 % of the consensus changes; whether for better or worse cannot be known without gold labels.",
				},
				{
					judge: "gpt-5-nano/3",
					changedPercent: 0.3,
					usd: 0.2,
					words: "Adds nothing that can be seen: without it 0.3 % of the consensus changes.",
				},
			],
			alternatives: [
				{
					judges: ["gpt-5-mini/1", "gpt-5-nano/1", "gpt-5-nano/2", "gpt-5-nano/3"],
					usd: 1.8,
					samePercent: 100,
					accuracy: null,
				},
				{ judges: ["gpt-5-mini/1", "gpt-5-nano/1", "gpt-5-nano/2"], usd: 1.6, samePercent: 99.7, accuracy: null },
			],
			words: ["Models without votes in this project cannot be judged."],
		};
	}

	queue(): ValueQueue {
		return {
			entries: [],
			expectedWrong: 0,
			stop: true,
			words: "No single label is expected to move a verdict. Labelling can stop.",
		};
	}
}
