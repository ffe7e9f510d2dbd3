// What the fake's runs have cost: a batch is charged at its end.

import type { SpendOverview } from "../bindings";
import { type FakeRun, summaryAt } from "./runs";

const dayOf = (at: number) => new Date(at * 1000).toISOString().slice(0, 10);

export function spendOf(runs: FakeRun[], sandbox: boolean, now: number): SpendOverview {
	const mine = runs.filter((r) => r.sandbox === sandbox);
	const charged = mine.flatMap((r) => r.batches).filter((b) => b.end <= now && b.usd > 0);
	const models = [...new Set(charged.map((b) => b.model))].sort();
	const days = [...new Set(charged.map((b) => dayOf(b.end)))].sort();
	const sum = (of: typeof charged) => of.reduce((a, b) => a + b.usd, 0);
	return {
		sandbox,
		models,
		days: days.map((day) => {
			const of = charged.filter((b) => dayOf(b.end) === day);
			return {
				day,
				usd: models.map((m) => sum(of.filter((b) => b.model === m))),
				requests: of.reduce((a, b) => a + b.requests, 0),
			};
		}),
		runs: mine.map((r) => {
			const { run, topicName, datasetName, k, state, createdAt, usdEstimated, usdSpent } = summaryAt(r, now);
			return { run, topicName, datasetName, k, state, createdAt, usdEstimated, usdSpent };
		}),
		usdTotal: sum(charged),
	};
}
