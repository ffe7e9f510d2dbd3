// States of runs and batches in words, glyphs and tones.

import type { BatchDetail, BatchState, RunState, RunSummary } from "../../lib/backend";
import type { StateGlyph } from "../../lib/components/icons";
import { hasWords } from "../../lib/find";
import { clock, counted, dayShort, percent, when } from "../../lib/format";
import type { RunGroup } from "../../lib/state/runs.svelte";

interface Tag {
	glyph: StateGlyph;
	tone: "" | "live" | "warn" | "bad";
	label: string;
}

export function runTag(r: RunSummary, now: number): Tag {
	switch (r.state) {
		case "waiting":
			return { glyph: "waiting", tone: "", label: "Waiting" };
		case "running":
			return { glyph: "running", tone: "live", label: percent(r.completed, r.requests) };
		case "paused":
			return { glyph: "paused", tone: "warn", label: "Paused" };
		case "needsYou":
			return { glyph: "attention", tone: "warn", label: "Needs you" };
		case "cancelling":
			return { glyph: "cancelled", tone: "", label: "Cancelling" };
		case "failed":
			return { glyph: "failed", tone: "bad", label: "Failed" };
		case "cancelled":
			return { glyph: "cancelled", tone: "", label: when(r.finishedAt ?? r.createdAt, now) };
		case "done":
			return { glyph: "done", tone: "", label: when(r.finishedAt ?? r.createdAt, now) };
	}
}

/** A state where nothing else is said. */
export const stateNames: Record<RunState, string> = {
	waiting: "Waiting",
	running: "Running",
	paused: "Paused",
	needsYou: "Needs you",
	cancelling: "Cancelling",
	failed: "Failed",
	cancelled: "Cancelled",
	done: "Done",
};

const batchGlyphs: Record<BatchState, StateGlyph> = {
	planned: "queued",
	waiting: "waiting",
	uploading: "uploading",
	uploaded: "uploading",
	creating: "uploading",
	validating: "validating",
	inProgress: "running",
	finalizing: "finalizing",
	ready: "finalizing",
	ingested: "ingested",
	failed: "failed",
	expired: "expired",
	cancelling: "cancelled",
	cancelled: "cancelled",
};

export function batchTag(b: BatchDetail, asOf: string | null): Tag {
	const glyph = batchGlyphs[b.state];
	const at = (t: number | null) => (t ? ` ${clock(t)}` : "");
	switch (b.state) {
		case "planned":
			return { glyph, tone: "", label: "Planned" };
		case "waiting":
			return { glyph, tone: "", label: "Waiting for queue" };
		case "uploading":
			return { glyph, tone: "live", label: "Uploading" };
		case "uploaded":
		case "creating":
			return { glyph, tone: "live", label: "Creating" };
		case "validating":
			return { glyph, tone: "", label: "Validating" };
		case "inProgress":
			return {
				glyph,
				tone: "live",
				label: asOf
					? `${percent(b.completed, b.requests)} at ${asOf}`
					: `Running · ${percent(b.completed, b.requests)}`,
			};
		case "finalizing":
			return { glyph, tone: "live", label: "Finalizing" };
		case "ready":
			return { glyph, tone: "live", label: "Ingesting" };
		case "ingested":
			return { glyph, tone: "", label: `Ingested${at(b.ingestedAt)}` };
		case "failed":
			return { glyph, tone: "bad", label: `Failed${at(b.finishedAt)}` };
		case "expired":
			return { glyph, tone: "warn", label: `Expired${at(b.finishedAt)}` };
		case "cancelling":
			return { glyph, tone: "", label: "Cancelling" };
		case "cancelled":
			return { glyph, tone: "", label: "Cancelled" };
	}
}

export interface RunsOfGroup {
	name: RunGroup;
	runs: RunSummary[];
}

/** The runs whose line has these words, in their groups. */
export function findRuns(groups: RunsOfGroup[], words: string, now: number): RunsOfGroup[] {
	const text = (r: RunSummary) => `${r.topicName} ${r.topic} ${r.datasetName} K=${r.k} ${runTag(r, now).label}`;
	return groups
		.map((g) => ({ ...g, runs: g.runs.filter((r) => hasWords(text(r), words)) }))
		.filter((g) => g.runs.length > 0);
}

/** When the batches that wait for room in the queue should be sent; `null` where none waits. */
export function queueWords(batches: BatchDetail[], now: number): string | null {
	const waiting = batches.filter((b) => b.state === "waiting" || b.state === "planned");
	if (waiting.length === 0) return null;
	const wait = `${counted(waiting.length, "batch", "batches")} ${waiting.length === 1 ? "waits" : "wait"} for room in the queue.`;
	const starts = waiting.map((b) => b.expectedStartAt);
	if (starts.some((at) => at === null)) return `${wait} When is not known yet: no batch of this account has ended.`;
	const known = starts.filter((at) => at !== null);
	const [first, last] = [Math.min(...known), Math.max(...known)];
	const at = (t: number) => (t - now < 60 ? "now" : `about ${t - now < 86400 ? clock(t) : dayShort(t)}`);
	const when = at(first) === at(last) ? at(first) : `${at(first)} to ${at(last)}`;
	return `${wait} ${waiting.length === 1 ? "It" : "They"} should be sent ${when}, by what this account's batches took so far.`;
}

/** `18 Nov` or `09:12`, for the run's heading. */
export const startedWhen = (at: number, now: number): string => (now - at < 86400 ? clock(at) : dayShort(at));
