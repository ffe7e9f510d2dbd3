// The fake's extractions: planned, sent, and followed as the clock goes on.

import type { FailureCause } from "../bindings";
import { topicById } from "./catalog";
import { refuse } from "./errors";
import type { Memory, Part } from "./memory";
import { defaultRuns, estimate } from "./plan";
import { detailAt, type FakeRun, summaryAt } from "./runs";
import { spendOf } from "./spend";
import { activity } from "./story";

type Commands = Part<
	| "planEstimate"
	| "extractionStart"
	| "runList"
	| "runDetail"
	| "runPause"
	| "runResume"
	| "runCancel"
	| "runRetry"
	| "spendOverview"
	| "pollNow"
>;

export function extractionCommands(m: Memory): Commands & { look(): void } {
	const {
		datasets,
		runs,
		state,
		start,
		now,
		batchSeconds,
		models: modelTable,
		emit,
		say,
		datasetOf,
		runOf,
		isLive,
	} = m;
	const announced = new Map<string, string>();

	/** Tells what changed since the last look. */
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

	const planEstimate: Commands["planEstimate"] = (request) => {
		if (request.k < 1) refuse("invalidInput", "K is 1 or more.");
		const d = datasetOf(request.dataset);
		const left = state.budgetDayUsd === null ? null : state.budgetDayUsd - state.spentTodayUsd - state.outstandingUsd;
		const plan = estimate(
			request,
			d.businesses.map((b) => b.reviews),
			d.known,
			m.settings.batchRequestsMax,
			left,
			modelTable.list(),
		);
		return state.provider.sandbox ? { ...plan, trialModels: [] } : plan;
	};

	return {
		look,
		planEstimate,
		extractionStart: (request, budgetUsd, fingerprint) => {
			const plan = planEstimate(request);
			if (plan.fingerprint !== fingerprint)
				refuse("planChanged", "The plan has changed since it was shown.", { safe: "Nothing was sent." });
			const left = state.budgetDayUsd === null ? null : state.budgetDayUsd - state.spentTodayUsd - state.outstandingUsd;
			const sandbox = state.provider.sandbox;
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
						usdEstimated: sandbox ? 0 : (t.usd ?? 0),
						sandbox,
						batches: batches.map((b, i) => ({
							model: b.model,
							requests: b.requests,
							start: now() + i,
							end: now() + i + batchSeconds,
							failed: 0,
							usd: sandbox ? 0 : (t.usd ?? 0) / batches.length,
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
					f.retryable && (cause ? f.cause === cause : f.cause !== "batchMissing") && (!model || f.model === model);
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
		spendOverview: () => spendOf(runs, state.provider.sandbox, now()),
		pollNow: () => {
			state.connection = {
				...state.connection,
				lastCheckedAt: state.connection.state === "offline" ? state.connection.lastCheckedAt : now(),
				nextCheckAt: now() + 60,
			};
			emit("connectionChanged", state.connection);
			return state.connection;
		},
	};
}
