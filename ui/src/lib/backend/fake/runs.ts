// Runs of the fake. A batch is a set of times; what it looks like follows from the present one.

import type { Activity, BatchDetail, EnsembleMember, FailureGroup, RunDetail, RunState, RunSummary } from "../bindings";

export interface FakeBatch {
	model: string;
	requests: number;
	start: number;
	end: number;
	failed: number;
	usd: number;
}

export interface FakeRun {
	run: string;
	dataset: string;
	datasetName: string;
	topic: string;
	topicName: string;
	k: number;
	ensemble: EnsembleMember[];
	createdAt: number;
	usdEstimated: number;
	sandbox: boolean;
	batches: FakeBatch[];
	failures: FailureGroup[];
	/** Set by hand; otherwise the state follows from the batches. */
	fixed: RunState | null;
	reason: string | null;
	/** Progress stands still from here. */
	frozenAt: number | null;
	activity: Activity[];
}

function batchAt(
	b: FakeBatch,
	now: number,
): Pick<
	BatchDetail,
	"state" | "completed" | "failed" | "createdAt" | "startedAt" | "finalizingAt" | "finishedAt" | "ingestedAt"
> {
	const length = b.end - b.start;
	const started = Math.round(b.start + length * 0.03);
	const finalizing = Math.round(b.start + length * 0.88);
	const finished = Math.round(b.start + length * 0.98);
	const none = {
		completed: 0,
		failed: 0,
		createdAt: null,
		startedAt: null,
		finalizingAt: null,
		finishedAt: null,
		ingestedAt: null,
	};
	if (now < b.start) return { ...none, state: "waiting" };
	const created = { ...none, createdAt: b.start };
	if (now < started) return { ...created, state: "validating" };
	const running = { ...created, startedAt: started };
	const done = Math.floor((b.requests * (now - started)) / (finalizing - started));
	if (now < finalizing) return { ...running, state: "inProgress", completed: Math.min(done, b.requests) };
	const all = { ...running, finalizingAt: finalizing, completed: b.requests, failed: b.failed };
	if (now < b.end) return { ...all, state: "finalizing" };
	return { ...all, state: "ingested", finishedAt: finished, ingestedAt: b.end };
}

export function summaryAt(r: FakeRun, real: number): RunSummary {
	const now = r.frozenAt ?? real;
	const states = r.batches.map((b) => batchAt(b, now));
	const ended = states.every((s) => s.state === "ingested");
	const sum = (f: (b: FakeBatch, i: number) => number) => r.batches.reduce((a, b, i) => a + f(b, i), 0);
	const ingested = (i: number) => states[i]!.state === "ingested";
	return {
		run: r.run,
		dataset: r.dataset,
		datasetName: r.datasetName,
		topic: r.topic,
		topicName: r.topicName,
		k: r.k,
		provider: r.sandbox ? "the sandbox" : "OpenAI",
		state: ended ? "done" : (r.fixed ?? (states.some((s) => s.state !== "waiting") ? "running" : "waiting")),
		reason: r.reason,
		requests: sum((b) => b.requests),
		completed: sum((_, i) => states[i]!.completed),
		answered: sum((b, i) => Math.max(0, states[i]!.completed - (ingested(i) ? b.failed : 0))),
		ingested: sum((b, i) => (ingested(i) ? b.requests - b.failed : 0)),
		failed: sum((_, i) => states[i]!.failed),
		usdEstimated: r.usdEstimated,
		usdSpent: sum((b, i) => (ingested(i) ? b.usd : 0)),
		createdAt: r.createdAt,
		finishedAt: ended ? Math.max(...r.batches.map((b) => b.end)) : r.fixed === "cancelled" ? r.frozenAt : null,
		sandbox: r.sandbox,
	};
}

/** What is not sent yet when it is paused. */
function resumeOf(r: FakeRun, now: number): RunDetail["resume"] {
	const unsent = r.batches.filter((b) => now < b.start);
	return {
		requests: unsent.reduce((a, b) => a + b.requests, 0),
		usd: unsent.reduce((a, b) => a + b.usd, 0),
		lifts: null,
	};
}

export function detailAt(r: FakeRun, real: number): RunDetail {
	const now = r.frozenAt ?? real;
	const summary = summaryAt(r, real);
	const last = Math.max(...r.batches.map((b) => b.end));
	let usd = 0;
	const spend = [...r.batches]
		.filter((b) => b.end <= now)
		.sort((a, b) => a.end - b.end)
		.map((b) => {
			usd += b.usd;
			return { at: b.end, usd };
		});
	const live = summary.state === "running" || summary.state === "waiting";
	return {
		summary,
		ensemble: r.ensemble,
		batches: r.batches.map((b, i) => {
			const same = r.batches.filter((x) => x.model === b.model);
			const state = batchAt(b, now);
			const stopped = r.fixed === "cancelled" && state.state !== "ingested";
			return {
				...state,
				...(stopped ? { state: "cancelled" as const } : {}),
				batch: `${r.run}-${i}`,
				model: b.model,
				ordinal: same.indexOf(b) + 1,
				ordinalOf: same.length,
				requests: b.requests,
				providerId: state.createdAt ? `batch_${r.run.slice(-4)}${i}` : null,
				plannedAt: r.createdAt,
				expectedStartAt: live && now < b.start ? b.start : null,
				expectedEndAt: live && now < b.end ? b.end : null,
				errorCode: null,
				errorMessage: null,
			};
		}),
		failures: summary.failed > 0 || r.fixed === "needsYou" ? r.failures : [],
		retryWhen: live || summary.state === "cancelling" ? "batchesAreIn" : summary.state === "paused" ? "resumed" : "now",
		resume: summary.state === "paused" || summary.state === "needsYou" ? resumeOf(r, now) : null,
		spend,
		usdForecast: live ? r.batches.reduce((a, b) => a + b.usd, 0) : null,
		etaEarliestAt: live && summary.completed > 0.02 * summary.requests ? last - Math.round((last - now) * 0.12) : null,
		etaLatestAt: live && summary.completed > 0.02 * summary.requests ? last + Math.round((last - now) * 0.2) : null,
		activity: r.activity,
	};
}
