// Estimates of the fake: the same arithmetic as the program's, over invented prices and token counts.

import type { EnsembleMember, Estimate, ModelList, PlanRequest } from "../bindings";
import { hash } from "./random";

export const models: ModelList = {
	modes: ["batch"],
	models: [
		{ model: "gpt-5.1", inputUsd: 0.625, outputUsd: 5, shutdownDate: "2027-04-01" },
		{ model: "gpt-5-mini", inputUsd: 0.125, outputUsd: 1, shutdownDate: "2026-12-11" },
		{ model: "gpt-5-nano", inputUsd: 0.025, outputUsd: 0.2, shutdownDate: "2026-12-11" },
		{ model: "gpt-6-luna", inputUsd: 0.05, outputUsd: 0.25, shutdownDate: null },
	],
	ensembles: [
		{
			name: "Default",
			members: [
				{ model: "gpt-5-mini", runs: 1, weight: 2 },
				{ model: "gpt-5-nano", runs: 3, weight: 1 },
			],
		},
		{
			name: "High quality",
			members: [
				{ model: "gpt-5.1", runs: 1, weight: 3 },
				{ model: "gpt-5-mini", runs: 3, weight: 2 },
				{ model: "gpt-5-nano", runs: 5, weight: 1 },
			],
		},
	],
};

/** What is stored of one topic: all votes of the first `k` reviews, `runs` of each model. */
export interface Known {
	k: number;
	runs: Record<string, number>;
}

export const defaultRuns: Record<string, number> = { "gpt-5-mini": 1, "gpt-5-nano": 3 };

const inputTokens = 720;
const outputTokens: Record<string, number> = {
	"gpt-5.1": 340,
	"gpt-5-mini": 342,
	"gpt-5-nano": 390,
	"gpt-6-luna": 300,
};

interface Counts {
	reviews: number;
	known: number;
	perTopicModel: { topic: string; model: string; known: number; requests: number }[];
}

function countsAt(k: number, request: PlanRequest, sizes: number[], known: Map<string, Known>): Counts {
	const at = (n: number) => sizes.reduce((a, s) => a + Math.min(n, s), 0);
	const reviews = at(k);
	const perTopicModel = request.topics.flatMap((topic) =>
		request.ensemble.map((m) => {
			const have = known.get(topic);
			const answered = [m.model, ...(m.replaces ?? [])].map((model) => have?.runs[model] ?? 0);
			const stored = have ? at(Math.min(k, have.k)) * Math.min(m.runs, Math.max(...answered)) : 0;
			return { topic, model: m.model, known: stored, requests: reviews * m.runs - stored };
		}),
	);
	return { reviews, known: perTopicModel.reduce((a, t) => a + t.known, 0), perTopicModel };
}

function costOf(list: ModelList, member: string, requests: number, full: boolean): number {
	const p = list.models.find((m) => m.model === member);
	if (!p) return 0;
	const usd = (requests * (inputTokens * p.inputUsd + (outputTokens[member] ?? 350) * p.outputUsd)) / 1e6;
	return full ? usd * 2 : usd;
}

export function estimate(
	request: PlanRequest,
	sizes: number[],
	known: Map<string, Known>,
	batchMax: number,
	budgetLeft: number | null,
	list: ModelList = models,
): Estimate {
	const c = countsAt(request.k, request, sizes, known);
	const requests = c.perTopicModel.reduce((a, t) => a + t.requests, 0);
	const perVote = (ensemble: EnsembleMember[]) => ensemble.reduce((a, m) => a + m.runs, 0);
	const of = (model: string) => c.perTopicModel.filter((t) => t.model === model).reduce((a, t) => a + t.requests, 0);
	const onDemand = request.mode === "onDemand";
	const perModel = request.ensemble.map((m) => {
		const p = list.models.find((x) => x.model === m.model)!;
		const n = of(m.model);
		return {
			model: m.model,
			requests: n,
			inputTokens: n * inputTokens,
			outputTokens: n * (outputTokens[m.model] ?? 350),
			usd: costOf(list, m.model, n, onDemand),
			usdFull: costOf(list, m.model, n, true),
			inputPriceUsd: p.inputUsd * (onDemand ? 2 : 1),
			outputPriceUsd: p.outputUsd * (onDemand ? 2 : 1),
			shutdownDate: p.shutdownDate,
		};
	});
	const usd = perModel.reduce((a, m) => a + m.usd, 0);
	const batches = c.perTopicModel.flatMap(({ topic, model, requests: n }) => {
		const out = [];
		for (let left = n; left > 0; left -= batchMax) {
			const part = Math.min(left, batchMax);
			out.push({ topic, model, requests: part, bytes: part * 3100 });
		}
		return out;
	});
	const ks = [...new Set([25, 50, 100, 200, request.k])].sort((a, b) => a - b);
	return {
		businesses: sizes.length,
		reviews: c.reviews,
		votesNeeded: c.reviews * request.topics.length * perVote(request.ensemble),
		votesKnown: c.known,
		votesInFlight: 0,
		requests,
		batches,
		perModel,
		perTopic: request.topics.map((topic) => {
			const mine = c.perTopicModel.filter((t) => t.topic === topic);
			return {
				topic,
				votesKnown: mine.reduce((a, t) => a + t.known, 0),
				requests: mine.reduce((a, t) => a + t.requests, 0),
				usd: mine.reduce((a, t) => a + costOf(list, t.model, t.requests, onDemand), 0),
			};
		}),
		inputTokens: requests * inputTokens,
		outputTokens: perModel.reduce((a, m) => a + m.outputTokens, 0),
		usd,
		usdFull: perModel.reduce((a, m) => a + m.usdFull, 0),
		usdBatch: perModel.reduce((a, m) => a + m.usdFull / 2, 0),
		outputBasis: "assumed",
		trialModels: onDemand ? [] : perModel.filter((m) => m.requests > 8).map((m) => m.model),
		trialRequests: 4,
		time:
			requests === 0
				? null
				: onDemand
					? { secondsMin: Math.ceil(requests / 8) * 2, secondsMax: Math.ceil(requests / 8) * 20, basis: "assumed" }
					: {
							secondsMin: Math.max(600, requests * 1.2),
							secondsMax: Math.max(1800, requests * 2.1),
							basis: "likeRuns",
						},
		fingerprint: hash(JSON.stringify([request, c.known])).toString(16),
		ladder: ks.map((k) => {
			const step = countsAt(k, request, sizes, known);
			return {
				k,
				reviews: step.reviews,
				requests: step.perTopicModel.reduce((a, t) => a + t.requests, 0),
				usd: step.perTopicModel.reduce((a, t) => a + costOf(list, t.model, t.requests, onDemand), 0),
			};
		}),
		warnings: [
			...perModel
				.filter((m) => m.shutdownDate === "2026-12-11")
				.map((m) => ({
					code: "modelShutsDown" as const,
					message: `${m.model} shuts down on 11 Dec 2026.`,
					model: m.model,
				})),
			...(budgetLeft !== null && usd > budgetLeft
				? [{ code: "overBudget" as const, message: "The plan is above the daily budget.", model: null }]
				: []),
		],
	};
}
