// What the parts of the fake share: the state that a scenario begins with, and how they tell the window of changes.

import type { Activity, ApiError, AppState, CatalogChange, Settings } from "../bindings";
import type { Commands, EventPayloads } from "../index";
import { refuse } from "./errors";
import { FakeCatalog } from "./files";
import { FakeModels } from "./models";
import { FakeQueue } from "./queue";
import { type FakeRun, summaryAt } from "./runs";
import { dataset, type FakeDataset, history, metro, type Scenario, sampleDataset } from "./story";
import { FakeTrust } from "./trust";
import { makeBusinesses } from "./world";

export interface FakeOptions {
	scenario?: Scenario;
	/** Seconds since 1970; tests hold it still. */
	now?: () => number;
	/** Runs beside those of the scenario. */
	runs?: FakeRun[];
	/** What was typed into the catalog before the window was last closed. */
	drafts?: CatalogChange[];
	/** A simulated batch takes this long. */
	batchSeconds?: number;
	/** Look at the runs by a timer; tests call `look` instead. */
	timer?: boolean;
}

export type Result<T> = { status: "ok"; data: T } | { status: "error"; error: ApiError };

/** Some of the program's commands: what they answer, or a `Refusal` that they throw. */
export type Part<C extends keyof Commands> = {
	[K in C]: (...args: Parameters<Commands[K]>) => Awaited<ReturnType<Commands[K]>> extends Result<infer T> ? T : never;
};

export type Memory = ReturnType<typeof createMemory>;

export function createMemory(options: FakeOptions) {
	const scenario = options.scenario ?? "full";
	const now = options.now ?? (() => Math.floor(Date.now() / 1000));
	const start = now();
	const bare = scenario === "empty" || scenario === "sandbox";

	const datasets: FakeDataset[] =
		scenario === "empty"
			? []
			: scenario === "sandbox"
				? [sampleDataset(start)]
				: scenario === "big"
					? [
							dataset(
								"big",
								"Everything",
								makeBusinesses("big", 20000, false).map((b) => ({ ...b, reviews: 6 })),
								false,
								start,
								[["G1_allergy", 25]],
							),
						]
					: [metro(start)];
	const runs: FakeRun[] = [...(bare || scenario === "big" ? [] : history(start)), ...(options.runs ?? [])];
	const log: Activity[] = runs.flatMap((r) => r.activity).sort((a, b) => b.at - a.at);
	for (const a of log) a.seen = a.at < start - 3000;
	const models = new FakeModels();
	if (!bare) models.learn("gpt-5-nano", 2_000_000);

	const state: AppState = {
		version: "0.1.0",
		dataDir: "~/.local/share/quorum",
		provider: bare
			? { kind: "sandbox", name: "the sandbox", url: "http://127.0.0.1:40123/v1", sandbox: true, needsKey: false }
			: { kind: "openai", name: "OpenAI", url: "https://api.openai.com/v1", sandbox: false, needsKey: true },
		key: {
			stored: !bare,
			hint: bare ? null : "sk-proj-…k3Qw",
			kept: bare ? null : "keyring",
			looked: !bare,
			acceptedAt: bare ? null : start - 15000,
			problem: scenario === "refused" ? "refused" : null,
		},
		firstRun: scenario === "empty",
		connection: {
			state:
				scenario === "offline"
					? "offline"
					: scenario === "refused"
						? "keyRefused"
						: bare || scenario === "big"
							? "idle"
							: "online",
			sinceAt: scenario === "offline" ? start - 360 : null,
			lastCheckedAt: bare ? null : start - (scenario === "offline" ? 360 : 40),
			nextCheckAt: bare || scenario === "big" ? null : start + 24,
			checking: false,
			detail: scenario === "offline" ? "dns error: failed to look up api.openai.com" : null,
		},
		liveRuns: 0,
		liveRequests: 0,
		liveCompleted: 0,
		spentTodayUsd: bare ? 0 : 2.38,
		outstandingUsd: 0,
		budgetDayUsd: bare ? null : 10,
		datasets: 0,
		runs: 0,
		activityUnseen: 0,
	};
	const settings: Settings = {
		theme: "system",
		notifications: { runDone: true, batchFailed: true, needsYou: true, quietUntilAt: null },
		closeToTray: true,
		startAtLogin: false,
		letterKeys: true,
		zoomPercent: 100,
		tourSeen: !bare,
		customUrl: null,
		batchRequestsMax: 40000,
		budgetDayUsd: bare ? null : 10,
		pollSeconds: null,
		deleteRemoteFiles: true,
	};

	const listeners = new Map<string, Set<(payload: never) => void>>();
	const emit = <E extends keyof EventPayloads>(event: E, payload: EventPayloads[E]) => {
		for (const heard of listeners.get(event) ?? []) (heard as (p: EventPayloads[E]) => void)(payload);
	};
	const datasetOf = (id: string) =>
		datasets.find((d) => d.dataset === id) ?? refuse("notFound", `There is no dataset “${id}”.`);
	const isLive = (r: FakeRun) => ["waiting", "running", "cancelling"].includes(summaryAt(r, now()).state);
	const app = (): AppState => {
		const live = runs.filter(isLive).map((r) => summaryAt(r, now()));
		state.liveRuns = live.length;
		state.liveRequests = live.reduce((a, r) => a + r.requests, 0);
		state.liveCompleted = live.reduce((a, r) => a + r.completed, 0);
		state.datasets = datasets.length;
		state.runs = runs.length;
		state.firstRun = datasets.length === 0 && runs.length === 0 && !state.key.stored;
		state.activityUnseen = log.filter((a) => !a.seen).length;
		return structuredClone(state);
	};

	return {
		scenario,
		now,
		/** When the window opened. */
		start,
		batchSeconds: options.batchSeconds ?? 6,
		datasets,
		runs,
		log,
		state,
		settings,
		drafts: (options.drafts ?? []) as CatalogChange[],
		models,
		queue: new FakeQueue(),
		trust: new FakeTrust(),
		catalog: new FakeCatalog(datasetOf),
		listeners,
		emit,
		say(a: Activity) {
			log.unshift(a);
			emit("activityAdded", a);
		},
		app,
		datasetOf,
		businessOf: (id: string, reviewId: string) =>
			datasetOf(id).businesses.find((x) => x.id === reviewId.split("-r")[0]) ??
			refuse("notFound", "There is no such review."),
		runOf: (id: string) => runs.find((r) => r.run === id) ?? refuse("notFound", `There is no run “${id}”.`),
		isLive,
	};
}
