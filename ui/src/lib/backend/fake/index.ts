// A program in memory, for component tests and for `npm run dev` in a plain browser. It sends nothing anywhere.

import type {
	Activity,
	ApiError,
	AppState,
	CatalogChange,
	ErrorCode,
	FailureCause,
	ImportReport,
	RemovedDataset,
	Settings,
	TopicSummary,
} from "../bindings";
import type { Backend, Commands, DropEvent, EventPayloads } from "../index";
import { topicById, topics } from "./catalog";
import { byK, compare, confidence } from "./compare";
import { Refusal, refuse } from "./errors";
import { FakeCatalog } from "./files";
import { FakeModels } from "./models";
import { defaultRuns, estimate } from "./plan";
import { FakeQueue } from "./queue";
import { detailAt, type FakeRun, summaryAt } from "./runs";
import { spendOf } from "./spend";
import { activity, dataset, type FakeDataset, history, metro, type Scenario, sampleDataset } from "./story";
import { FakeTrust } from "./trust";
import { detail, overview } from "./verdicts";
import { draftOf, openPage, ownPolicy, tryOut } from "./whatif";
import { judge, makeBusinesses } from "./world";

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

export interface Fake extends Backend {
	/** Tells what changed since the last look. */
	look(): void;
	/** The next call of this command fails so. */
	failNext(command: keyof Commands, code: ErrorCode, message?: string): void;
	drop(event: DropEvent): void;
	/** As the tray or a notification does. */
	request(page: EventPayloads["pageRequested"]): void;
	/** Whatever the program may tell the window. */
	emit<E extends keyof EventPayloads>(event: E, payload: EventPayloads[E]): void;
	calls: { command: string; args: unknown[] }[];
}

type Result<T> = { status: "ok"; data: T } | { status: "error"; error: ApiError };

export function createFake(options: FakeOptions = {}): Fake {
	const scenario = options.scenario ?? "full";
	const now = options.now ?? (() => Math.floor(Date.now() / 1000));
	const batchSeconds = options.batchSeconds ?? 6;
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
	const announced = new Map<string, string>();
	const failures = new Map<string, ApiError>();
	const listeners = new Map<string, Set<(payload: never) => void>>();
	const removed: { number: number; at: number; dataset: FakeDataset }[] = [];
	let removals = 0;
	let drafts: CatalogChange[] = options.drafts ?? [];
	let dropped: ((e: DropEvent) => void) | null = null;
	const queue = new FakeQueue();
	const trust = new FakeTrust();
	const modelTable = new FakeModels();
	if (!bare) modelTable.learn("gpt-5-nano", 2_000_000);
	const calls: Fake["calls"] = [];

	const state: AppState = {
		version: "0.1.0",
		dataDir: "~/.local/share/quorum",
		provider: bare
			? { kind: "sandbox", url: "http://127.0.0.1:40123/v1", needsKey: false }
			: { kind: "openai", url: "https://api.openai.com/v1", needsKey: true },
		key: {
			stored: !bare,
			hint: bare ? null : "sk-proj-…k3Qw",
			inKeyring: true,
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
		budgetDayUsd: bare ? null : 10,
		datasets: 0,
		runs: 0,
		activityUnseen: 0,
	};
	let settings: Settings = {
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
		confirmAboveUsd: null,
		pollSeconds: null,
		deleteRemoteFiles: true,
	};

	const emit = <E extends keyof EventPayloads>(event: E, payload: EventPayloads[E]) => {
		for (const heard of listeners.get(event) ?? []) (heard as (p: EventPayloads[E]) => void)(payload);
	};
	const datasetOf = (id: string) =>
		datasets.find((d) => d.dataset === id) ?? refuse("notFound", `There is no dataset “${id}”.`);
	const businessOf = (id: string, reviewId: string) =>
		datasetOf(id).businesses.find((x) => x.id === reviewId.split("-r")[0]) ??
		refuse("notFound", "There is no such review.");
	const runOf = (id: string) => runs.find((r) => r.run === id) ?? refuse("notFound", `There is no run “${id}”.`);
	const catalog = new FakeCatalog(datasetOf);
	const isLive = (r: FakeRun) => ["waiting", "running", "cancelling"].includes(summaryAt(r, now()).state);
	const say = (a: Activity) => {
		log.unshift(a);
		emit("activityAdded", a);
	};
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
	const summary = (d: FakeDataset) => ({
		dataset: d.dataset,
		name: d.name,
		businesses: d.businesses.length,
		reviews: d.businesses.reduce((a, b) => a + b.reviews, 0),
		reviewsBusinessMax: Math.max(0, ...d.businesses.map((b) => b.reviews)),
		importedAt: d.importedAt,
		sample: d.sample,
	});
	const removedOf = (r: (typeof removed)[number]): RemovedDataset => {
		const { name, businesses, reviews } = summary(r.dataset);
		return { number: r.number, name, businesses, reviews, removedAt: r.at, keptUntilAt: r.at + 30 * 86400 };
	};
	const setAside = (d: FakeDataset): RemovedDataset => {
		datasets.splice(datasets.indexOf(d), 1);
		const gone = { number: ++removals, at: now(), dataset: d };
		removed.unshift(gone);
		return removedOf(gone);
	};
	const reportOf = (d: FakeDataset, replaced: RemovedDataset | null = null): ImportReport => {
		const s = summary(d);
		return { dataset: s, businesses: s.businesses, reviews: s.reviews, skipped: 0, replaced, problems: [] };
	};
	const addDataset = (d: FakeDataset): ImportReport => {
		const former = datasets.find((x) => x.name === d.name);
		const replaced = former ? setAside(former) : null;
		datasets.push(d);
		say(activity(now(), "datasetImported", `${d.name} imported`, `${d.businesses.length} businesses.`, null));
		emit("datasetsChanged", datasets.length);
		return reportOf(d, replaced);
	};

	function look(): void {
		for (const r of runs) {
			const s = summaryAt(r, now());
			const seen = `${s.state} ${s.completed} ${s.ingested}`;
			if (announced.get(r.run) === seen) continue;
			const first = !announced.has(r.run);
			announced.set(r.run, seen);
			if (first && r.createdAt < start) continue;
			if (s.state === "done" && r.createdAt >= start) {
				const d = datasets.find((x) => x.dataset === r.dataset);
				const had = d?.known.get(r.topic);
				d?.known.set(r.topic, { k: Math.max(r.k, had?.k ?? 0), runs: { ...defaultRuns, ...had?.runs } });
				const a = activity(
					now(),
					"runDone",
					`${r.topicName} is done`,
					`K=${r.k}: ${s.ingested} votes, ${s.failed} failed. ${r.sandbox ? "No cost." : `$${s.usdSpent.toFixed(2)}.`}`,
					r.run,
				);
				r.activity.unshift(a);
				say(a);
				if (!r.sandbox) state.spentTodayUsd += s.usdSpent;
			}
			emit("runChanged", s);
		}
		if (state.connection.state === "online" && !runs.some(isLive)) {
			state.connection = { ...state.connection, state: "idle", nextCheckAt: null };
			emit("connectionChanged", state.connection);
		} else if (state.connection.nextCheckAt && state.connection.nextCheckAt <= now()) {
			state.connection = {
				...state.connection,
				lastCheckedAt: state.connection.state === "offline" ? state.connection.lastCheckedAt : now(),
				nextCheckAt: now() + 60,
			};
			emit("connectionChanged", state.connection);
		}
	}

	const setRun = (id: string, change: (r: FakeRun) => void) => {
		const r = runOf(id);
		change(r);
		const s = summaryAt(r, now());
		emit("runChanged", s);
		return s;
	};

	const impl: {
		[C in keyof Commands]: (
			...args: Parameters<Commands[C]>
		) => Awaited<ReturnType<Commands[C]>> extends Result<infer T> ? T : never;
	} = {
		appState: app,
		datasetList: () => datasets.map(summary),
		datasetImport: (path, name) => {
			if (!/\.(jsonl|ndjson|json)$/i.test(path)) {
				refuse("fileFormat", `“${path}” holds no line that is a business.`, {
					detail: "line 1: expected `{`",
					safe: "Nothing was imported.",
					action: "Choose a JSON Lines file with one business a line.",
				});
			}
			if (path.includes("missing"))
				refuse("fileUnreadable", `“${path}” does not exist.`, {
					detail: "No such file or directory (os error 2)",
					safe: "Nothing was imported.",
				});
			const base =
				name ??
				path
					.split("/")
					.at(-1)!
					.replace(/\.\w+$/, "");
			const report = addDataset(dataset(base, base, makeBusinesses(base, 40, false), false, now(), []));
			return path.includes("broken")
				? {
						...report,
						skipped: 2,
						problems: [
							{ line: 17, field: "review_id", message: "the review has no id" },
							{ line: 31, field: null, message: "the line is not JSON: EOF while parsing a string" },
						],
					}
				: report;
		},
		datasetImportSample: () => {
			const had = datasets.find((d) => d.sample);
			return had ? reportOf(had) : addDataset(sampleDataset(now()));
		},
		datasetRemove: (id) => {
			const d = datasetOf(id);
			if (runs.some((r) => r.dataset === id && isLive(r)))
				refuse("datasetInUse", `A live run needs “${d.name}”.`, {
					safe: "Nothing was removed.",
					action: "Cancel the run first.",
				});
			const gone = setAside(d);
			emit("datasetsChanged", datasets.length);
			return gone;
		},
		datasetRemoved: () => removed.map(removedOf),
		datasetRestore: (number) => {
			const back = removed.find((r) => r.number === number) ?? refuse("notFound", "This dataset cannot be put back.");
			removed.splice(removed.indexOf(back), 1);
			const former = datasets.find((x) => x.name === back.dataset.name);
			if (former) setAside(former);
			datasets.push(back.dataset);
			emit("datasetsChanged", datasets.length);
			return summary(back.dataset);
		},
		topicList: (id) =>
			topics.map((t) => {
				const own = ownPolicy(t.topic);
				const mine = own && catalog.has(t.topic, own.variant) ? [own] : [];
				return { ...t, policies: [...t.policies, ...mine], coverage: id ? coverage(t, datasetOf(id)) : null };
			}),
		catalogOverview: () => catalog.overview(),
		catalogText: (path) => catalog.text(path),
		catalogDrafts: () => drafts,
		catalogDraftsKeep: (next) => {
			drafts = structuredClone(next);
			return null;
		},
		catalogTopic: (topic, changes) => catalog.topic(topic, changes),
		catalogPrompt: (query, changes) => catalog.prompt(query, changes),
		catalogTry: (changes) => catalog.check(changes),
		catalogImpact: (id, changes) => catalog.impact(id, changes),
		catalogSave: (changes) => catalog.save(changes),
		catalogAdd: (dir) => catalog.add(dir),
		modelList: () => modelTable.list(),
		modelTable: () => modelTable.table(),
		modelEdit: (model, field, value) => modelTable.edit(model, field, value),
		modelAdd: (model, edits) => modelTable.add(model, edits),
		modelReset: (model) => modelTable.reset(model),
		modelRestore: (taken) => modelTable.restore(taken),
		modelsAsk: () => modelTable.ask(now()),
		planEstimate: (request) => {
			if (request.k < 1) refuse("invalidInput", "K is 1 or more.");
			const d = datasetOf(request.dataset);
			const left = state.budgetDayUsd === null ? null : state.budgetDayUsd - state.spentTodayUsd;
			const plan = estimate(
				request,
				d.businesses.map((b) => b.reviews),
				d.known,
				settings.batchRequestsMax,
				left,
				modelTable.list(),
			);
			return state.provider.kind === "sandbox" ? { ...plan, trialModels: [] } : plan;
		},
		extractionStart: (request, budgetUsd, fingerprint) => {
			const plan = impl.planEstimate(request);
			if (plan.fingerprint !== fingerprint)
				refuse("planChanged", "The plan has changed since it was shown.", { safe: "Nothing was sent." });
			const left = state.budgetDayUsd === null ? null : state.budgetDayUsd - state.spentTodayUsd;
			const sandbox = state.provider.kind === "sandbox";
			if (!sandbox && !state.key.stored) refuse("keyMissing", "There is no API key.", { safe: "Nothing was sent." });
			if (!sandbox && left !== null && plan.usd > left && (budgetUsd ?? 0) < plan.usd)
				refuse("budgetExceeded", "The plan is above the daily budget.", { safe: "Nothing was sent." });
			const d = datasetOf(request.dataset);
			const started = plan.perTopic
				.filter((t) => t.requests > 0)
				.map((t) => {
					const name = topicById.get(t.topic)!.name;
					const run = `run-${String(1000 + runs.length)}`;
					const batches = plan.batches.filter((b) => b.topic === t.topic);
					const r: FakeRun = {
						run,
						dataset: d.dataset,
						datasetName: d.name,
						topic: t.topic,
						topicName: name,
						k: request.k,
						ensemble: request.ensemble,
						createdAt: now(),
						usdEstimated: sandbox ? 0 : t.usd,
						sandbox,
						batches: batches.map((b, i) => ({
							model: b.model,
							requests: b.requests,
							start: now() + i,
							end: now() + i + batchSeconds,
							failed: 0,
							usd: sandbox ? 0 : t.usd / batches.length,
						})),
						failures: [],
						fixed: null,
						reason: null,
						frozenAt: null,
						activity: [],
					};
					r.activity.push(
						activity(
							now(),
							"runStarted",
							`${name} started`,
							`${t.requests} requests in ${batches.length} batches.`,
							run,
						),
					);
					runs.unshift(r);
					say(r.activity[0]!);
					emit("runChanged", summaryAt(r, now()));
					return run;
				});
			state.connection = {
				...state.connection,
				state: state.connection.state === "offline" ? "offline" : "online",
				lastCheckedAt: now(),
				nextCheckAt: now() + 5,
			};
			emit("connectionChanged", state.connection);
			return { runs: started, requests: plan.requests };
		},
		runList: () => runs.map((r) => summaryAt(r, now())),
		runDetail: (run) => detailAt(runOf(run), now()),
		runPause: (run) =>
			setRun(run, (r) => Object.assign(r, { fixed: "paused", frozenAt: now(), reason: "paused by you" })),
		runResume: (run) =>
			setRun(run, (r) => {
				const gap = r.frozenAt ? now() - r.frozenAt : 0;
				for (const b of r.batches)
					if (r.frozenAt && b.end > r.frozenAt) Object.assign(b, { start: b.start + gap, end: b.end + gap });
				Object.assign(r, { fixed: null, frozenAt: null, reason: null });
			}),
		runCancel: (run) =>
			setRun(run, (r) => Object.assign(r, { fixed: "cancelled", frozenAt: r.frozenAt ?? now(), reason: null })),
		runRetry: (run, cause, model) =>
			setRun(run, (r) => {
				const gone = (f: { cause: FailureCause; model: string; retryable: boolean }) =>
					f.retryable && (!cause || f.cause === cause) && (!model || f.model === model);
				const retried = r.failures.filter(gone);
				r.failures = r.failures.filter((f) => !gone(f));
				for (const f of retried) {
					const from = r.batches.find((b) => b.model === f.model && b.failed > 0);
					if (from) from.failed = Math.max(0, from.failed - f.count);
					r.batches.push({
						model: f.model,
						requests: f.count,
						start: now(),
						end: now() + batchSeconds,
						failed: 0,
						usd: f.usdRetry,
					});
				}
			}),
		spendOverview: () => spendOf(runs, state.provider.kind === "sandbox", now()),
		pollNow: () => {
			state.connection = {
				...state.connection,
				lastCheckedAt: state.connection.state === "offline" ? state.connection.lastCheckedAt : now(),
				nextCheckAt: now() + 60,
			};
			emit("connectionChanged", state.connection);
			return state.connection;
		},
		resultsOverview: (query) => {
			if (scenario === "failing")
				refuse("storeDamaged", "The stored votes of Allergy safety cannot be read.", {
					detail: "table votes_v1: checksum mismatch at page 4711",
					safe: "Your datasets and all other topics are untouched.",
					action: "Restore the last backup with quorumctl restore.",
				});
			const d = datasetOf(query.dataset);
			return {
				...overview(
					d.businesses,
					query,
					d.known.get(query.topic)?.k ?? 0,
					query.topic === "G1_allergy" && d.dataset === "metro" ? 3 : 0,
				),
				applied: trust.applied(query),
			};
		},
		businessDetail: (query) => {
			const d = datasetOf(query.dataset);
			const b = d.businesses.find((x) => x.id === query.business) ?? refuse("notFound", "There is no such business.");
			return { ...detail(b, query, d.known.get(query.topic)?.k ?? 0), applied: trust.applied(query) };
		},
		reviewDetail: (query) => {
			const d = datasetOf(query.dataset);
			const [business, index] = query.reviewId.split("-r");
			const b = d.businesses.find((x) => x.id === business) ?? refuse("notFound", "There is no such review.");
			const j = judge(b, Number(index), query.topic);
			const known = Number(index) < (d.known.get(query.topic)?.k ?? 0);
			const cues = [
				"peanut allergy",
				"lips started tingling",
				"Benadryl",
				"sesame",
				"hives",
				"shellfish allergy",
				"EpiPen",
				"hospital",
				"panang curry",
			];
			const total = j.votes.reduce((a, v) => a + v.weight, 0);
			return {
				query,
				business: b.id,
				position: j.review.position,
				date: j.review.date,
				stars: j.review.stars,
				useful: j.review.useful,
				text: j.review.text,
				cutAt: null,
				state: known ? "complete" : "unasked",
				relevance: {
					relevant: known ? j.relevant : null,
					tied: false,
					agreement: known ? { weightAgreeing: total, weightCounted: total } : null,
				},
				fields: topicById.get(query.topic)!.fields.map((field, f) => ({
					field,
					value: known && j.relevant ? j.values[f]! : null,
					confidence: known && j.relevant && j.counted[f] ? j.agreeing[f]! / j.counted[f]! : null,
					agreement: known && j.relevant ? { weightAgreeing: j.agreeing[f]!, weightCounted: j.counted[f]! } : null,
					tied: known && j.relevant && j.tied[f]!,
					overridden: false,
					cues: f === 1 && j.relevant ? cues : [],
				})),
				votes: known
					? j.votes.map((v) => ({
							model: v.model,
							run: v.run,
							weight: v.weight,
							relevant: v.relevant,
							values: v.relevant ? v.values : [null, null, null, null],
						}))
					: [],
				weightTotal: total,
			};
		},
		queueList: (query) => {
			const d = datasetOf(query.dataset);
			return queue.list(d.businesses, query, d.known.get(query.topic)?.k ?? 0, trust.applied(query));
		},
		queueLabel: (query) => {
			const { dataset, topic, reviewId } = query;
			const review = impl.reviewDetail({ dataset, topic, reviewId });
			const known = datasetOf(dataset).known.get(topic)?.k ?? 0;
			return queue.label(businessOf(dataset, reviewId), review, query, known);
		},
		overrideSet: (request) => {
			const known = datasetOf(request.dataset).known.get(request.topic)?.k ?? 0;
			return queue.set(businessOf(request.dataset, request.reviewId), request, known, now());
		},
		overrideUndo: (number) => queue.undo(number, now()),
		overrideTrail: (_dataset, topic) => queue.trail(topic),
		trustReport: (query) => trust.report(query, datasetOf(query.dataset).known.has(query.topic)),
		aggregatorChoose: (query, aggregator) => trust.choose(query, aggregator),
		labelSession: (query) => trust.session(query),
		goldDraw: (query, size) => {
			const d = datasetOf(query.dataset);
			return trust.draw(query, size, d.businesses, d.known.get(query.topic)?.k ?? 0);
		},
		goldLabel: (request) => trust.label(request),
		goldUndo: (query) => trust.undo(query),
		verdictCertainties: (query) => {
			const d = datasetOf(query.dataset);
			return trust.certainties(query, d.businesses, d.known.has(query.topic));
		},
		businessCertainty: (query, business) => {
			const d = datasetOf(query.dataset);
			return trust.certainties(
				query,
				d.businesses.filter((b) => b.id === business),
				d.known.has(query.topic),
			);
		},
		valueQueue: () => trust.queue(),
		ensembleAdvice: (query) => trust.advice(query),
		resultsCompare: (query) => {
			const d = datasetOf(query.dataset);
			return compare(d.businesses, query, d.known.get(query.topic)?.k ?? 0);
		},
		resultsByK: (id, topic) => {
			const d = datasetOf(id);
			return byK(d.businesses, id, topic, d.known.get(topic)?.k ?? 0);
		},
		resultsConfidence: (id, topic, k) => {
			const d = datasetOf(id);
			return confidence(d.businesses, id, topic, k, d.known.get(topic)?.k ?? 0);
		},
		fileSave: (path) => {
			if (path.includes("readonly"))
				refuse("fileUnwritable", `${path} cannot be written.`, {
					safe: "A file that stood there before is unchanged.",
				});
			return path;
		},
		whatIfOpen: (query) => {
			const d = datasetOf(query.dataset);
			return openPage(d.businesses, query, d.known.get(query.topic)?.k ?? 0);
		},
		whatIfTry: (request) => {
			const d = datasetOf(request.query.dataset);
			return tryOut(d.businesses, request, d.known.get(request.query.topic)?.k ?? 0);
		},
		whatIfDraft: (request, name) => draftOf(request, name),
		whatIfSave: (request, name) => {
			const draft = draftOf(request, name);
			catalog.yours.set(draft.file, `policy_id: ${draft.policy}\n`);
			return draft;
		},
		groundTruthExport: (request) => {
			if (!request.dir.startsWith("/"))
				refuse("fileUnwritable", `“${request.dir}” is not a directory that can be written.`, {
					safe: "Nothing was written.",
				});
			return {
				files: request.policies.map((p) => `${request.dir}/${p}_K${request.k}_groundtruth.json`),
				provisional: false,
			};
		},
		activityList: (limit) => log.slice(0, limit),
		activitySeen: (upTo) => {
			const at = log.find((a) => a.activity === upTo)?.at ?? 0;
			for (const a of log) if (a.at <= at) a.seen = true;
			return app();
		},
		storage: () => ({ storeBytes: 67_375_104, otherBytes: 0, remoteFiles: 2, remoteUploadedBytes: 190_000_000 }),
		settingsGet: () => settings,
		settingsSet: (next) => {
			if (next.batchRequestsMax < 1 || next.batchRequestsMax > 50000)
				refuse("invalidInput", "A batch holds 1 to 50,000 requests.");
			settings = structuredClone(next);
			state.budgetDayUsd = next.budgetDayUsd;
			return structuredClone(settings);
		},
		keySet: (key) => {
			if (!key.startsWith("sk-") || key.includes("wrong"))
				refuse("keyRefused", "The provider refused this key.", {
					detail: "401 invalid_api_key: Incorrect API key provided",
					safe: "The key you had is unchanged.",
					action: "Copy the key again, whole.",
				});
			state.key = {
				stored: true,
				hint: `${key.slice(0, 8)}…${key.slice(-4)}`,
				inKeyring: true,
				acceptedAt: now(),
				problem: null,
			};
			if (state.connection.state === "keyRefused" || state.connection.state === "keyMissing")
				state.connection = { ...state.connection, state: "online" };
			return app();
		},
		keyClear: () => {
			state.key = { stored: false, hint: null, inKeyring: true, acceptedAt: null, problem: null };
			return app();
		},
		providerSet: (kind, url) => {
			if (kind === "custom" && !/^https?:\/\//.test(url ?? ""))
				refuse("invalidInput", "The address starts with http:// or https://.", { safe: "The provider is unchanged." });
			state.provider = {
				kind,
				url:
					kind === "openai"
						? "https://api.openai.com/v1"
						: kind === "sandbox"
							? "http://127.0.0.1:40123/v1"
							: (url ?? ""),
				needsKey:
					kind === "openai" || (kind === "custom" && !/^http:\/\/(127\.0\.0\.1|localhost|\[::1\])[:/]/.test(url ?? "")),
			};
			if (kind === "custom") settings.customUrl = url;
			return app();
		},
		sandboxUse: () => impl.providerSet("sandbox", null),
		runShown: () => null,
	};

	const delayMs = scenario === "slow" ? 60000 : options.timer ? 40 : 0;
	const commands = Object.fromEntries(
		(Object.keys(impl) as (keyof Commands)[]).map((name) => [
			name,
			async (...args: unknown[]): Promise<Result<unknown>> => {
				calls.push({ command: name, args });
				if (delayMs && !(scenario === "slow" && !/Overview|runList|Detail|planEstimate/.test(name)))
					await new Promise((r) => setTimeout(r, delayMs));
				const planned = failures.get(name);
				failures.delete(name);
				if (planned) return { status: "error", error: planned };
				try {
					return { status: "ok", data: structuredClone((impl[name] as (...a: unknown[]) => unknown)(...args)) };
				} catch (e) {
					if (e instanceof Refusal) return { status: "error", error: e.error };
					throw e;
				}
			},
		]),
	) as unknown as Commands;

	if (options.timer) setInterval(look, 500);
	look();

	return {
		commands,
		calls,
		look,
		failNext: (command, code, message = "It failed.") =>
			failures.set(command, { code, message, detail: null, safe: "Nothing was changed.", action: null }),
		drop: (event) => dropped?.(event),
		request: (page) => emit("pageRequested", page),
		emit,
		async listen(event, heard) {
			const set = listeners.get(event) ?? new Set();
			listeners.set(event, set);
			set.add(heard as (p: never) => void);
			return () => set.delete(heard as (p: never) => void);
		},
		pickFile: async () => "/home/user/reviews_40x25.jsonl",
		pickSave: async (name) => `/home/user/${name}`,
		pickDirectory: async () => "/home/user/ground-truth",
		async onDrop(heard) {
			dropped = heard;
			return () => {
				dropped = null;
			};
		},
		async setTitle(title) {
			document.title = title;
		},
	};
}

function coverage(t: TopicSummary, d: FakeDataset): TopicSummary["coverage"] {
	const known = d.known.get(t.topic);
	const at = (k: number) => d.businesses.reduce((a, b) => a + Math.min(k, b.reviews), 0) * 4;
	if (!known) return { votes: 0, completeK: null, known: 0, needed: at(50), k: 50, stale: 0 };
	return {
		votes: at(known.k),
		completeK: [25, 50, 100, 200].filter((k) => k <= known.k).at(-1) ?? null,
		known: at(Math.min(50, known.k)),
		needed: at(50),
		k: 50,
		stale: 0,
	};
}
