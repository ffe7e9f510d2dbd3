// The state that a scenario starts in.

import type { Activity } from "../bindings";
import { topicById } from "./catalog";
import type { Known } from "./plan";
import { defaultRuns, models } from "./plan";
import type { FakeRun } from "./runs";
import { type Business, makeBusinesses } from "./world";

/** What a window can be shown with. */
export const scenarios = ["empty", "full", "offline", "refused", "sandbox", "big", "failing", "slow"] as const;
export type Scenario = (typeof scenarios)[number];

export interface FakeDataset {
	dataset: string;
	name: string;
	sample: boolean;
	importedAt: number;
	businesses: Business[];
	known: Map<string, Known>;
}

export function dataset(
	id: string,
	name: string,
	businesses: Business[],
	sample: boolean,
	importedAt: number,
	known: [string, number][],
): FakeDataset {
	return {
		dataset: id,
		name,
		sample,
		importedAt,
		businesses,
		known: new Map(known.map(([t, k]) => [t, { k, runs: { ...defaultRuns } }])),
	};
}

export function metro(now: number): FakeDataset {
	return dataset("metro", "Metro dining", makeBusinesses("metro", 100, true), false, now - 9 * 86400, [
		["G1_allergy", 50],
		["G1_hygiene", 50],
		["G3_hidden_costs", 25],
		["G2_romance", 25],
	]);
}

export const sampleDataset = (now: number): FakeDataset =>
	dataset("sample", "Sample dining", makeBusinesses("sample", 12, false), true, now, []);

const ensemble = models.ensembles[0]!.members;

let nextActivity = 1;
export function activity(
	at: number,
	kind: Activity["kind"],
	title: string,
	body: string,
	run: string | null,
	severity: Activity["severity"] = "info",
): Activity {
	return { activity: nextActivity++, at, kind, severity, title, body, run, seen: false };
}

/** A run that has ended. */
export function past(
	run: string,
	topic: string,
	k: number,
	requests: number,
	failed: number,
	usd: number,
	at: number,
): FakeRun {
	return {
		run,
		dataset: "metro",
		datasetName: "Metro dining",
		topic,
		topicName: topicById.get(topic)!.name,
		k,
		ensemble,
		createdAt: at - 5 * 3600,
		usdEstimated: usd * 1.06,
		sandbox: false,
		batches: [
			{ model: "gpt-5-mini", requests: requests / 4, start: at - 5 * 3600, end: at - 3 * 3600, failed, usd: usd * 0.6 },
			{ model: "gpt-5-nano", requests: (requests / 4) * 3, start: at - 5 * 3600, end: at, failed: 0, usd: usd * 0.4 },
		],
		failures: failed
			? [
					{
						cause: "refused",
						providerCode: "content_filter",
						example: null,
						model: "gpt-5-mini",
						count: failed,
						retryable: false,
						usdRetry: 0,
					},
				]
			: [],
		fixed: null,
		reason: null,
		frozenAt: null,
		activity: [
			activity(
				at,
				"runDone",
				`${topicById.get(topic)!.name} is done`,
				`K=${k}: ${requests.toLocaleString("en")} requests, ${failed} failed. $${usd.toFixed(2)}.`,
				run,
			),
		],
	};
}

export function history(now: number): FakeRun[] {
	const live: FakeRun = {
		...past("run-0009", "G4_server", 50, 18440, 0, 3.32, now),
		createdAt: now - 15120,
		usdEstimated: 3.32,
		batches: [
			{ model: "gpt-5-mini", requests: 4610, start: now - 15000, end: now - 8280, failed: 12, usd: 1.86 },
			...[0, 1, 2, 3, 4].map((i) => ({
				model: "gpt-5-nano",
				requests: 2766,
				start: now - 15000 + [0, 5900, 12700, 20100, 27000][i]!,
				end: now - 15000 + [5700, 12600, 19900, 26800, 33600][i]!,
				failed: [17, 12, 9, 0, 0][i]!,
				usd: 0.26,
			})),
		],
		failures: [
			{
				cause: "timeout",
				providerCode: "request_timeout",
				example: "The request took too long.",
				model: "gpt-5-nano",
				count: 17,
				retryable: true,
				usdRetry: 0.0017,
			},
			{
				cause: "emptyAnswer",
				providerCode: "status 0",
				example: null,
				model: "gpt-5-nano",
				count: 12,
				retryable: true,
				usdRetry: 0.0012,
			},
			{
				cause: "cutOff",
				providerCode: "length",
				example: null,
				model: "gpt-5-mini",
				count: 9,
				retryable: true,
				usdRetry: 0.004,
			},
			{
				cause: "refused",
				providerCode: "content_filter",
				example: "The response was filtered.",
				model: "gpt-5-mini",
				count: 3,
				retryable: false,
				usdRetry: 0,
			},
		],
		activity: [
			activity(now - 2400, "batchSent", "gpt-5-nano 3 of 5 sent", "The queue had room again.", "run-0009"),
			activity(now - 2500, "batchIngested", "gpt-5-nano 2 of 5 ingested", "2,754 votes, 12 failed.", "run-0009"),
			activity(now - 8280, "batchIngested", "gpt-5-mini 1 of 1 ingested", "4,598 votes, 12 failed.", "run-0009"),
			activity(now - 15120, "runStarted", "Service started", "18,440 requests in 6 batches, about $3.32.", "run-0009"),
		],
	};
	const paused: FakeRun = {
		...past("run-0008", "G5_capacity", 25, 9928, 0, 1.77, now - 86400),
		fixed: "needsYou",
		reason: "its $0.50 budget is used",
		frozenAt: now - 86400 - 8000,
	};
	return [
		live,
		paused,
		past("run-0007", "G1_allergy", 50, 18440, 3, 3.13, now - 20 * 3600),
		past("run-0006", "G1_hygiene", 50, 18440, 0, 3.21, now - 2 * 86400),
		past("run-0005", "G3_hidden_costs", 25, 9928, 3, 1.74, now - 4 * 86400),
		past("run-0004", "G2_romance", 25, 9928, 0, 1.77, now - 5 * 86400),
		{
			...past("run-0003", "G1_dietary", 50, 11064, 0, 1.2, now - 6 * 86400),
			fixed: "cancelled",
			frozenAt: now - 6 * 86400 - 9000,
		},
	];
}
