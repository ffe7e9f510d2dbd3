// Where the pieces of a batch stand on the clock: pure geometry in percent of the lane.

import type { BatchDetail } from "../../lib/backend";

export interface Span {
	start: number;
	end: number;
}

export interface Piece {
	kind: "q" | "va" | "run" | "rund" | "fi" | "in2" | "exp";
	left: number;
	width: number;
}

interface Tick {
	left: number;
	at: number;
}

const stepsSeconds = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 14400, 21600, 43200, 86400];
const gaps = 5;

/** The clock range of a run: five equal gaps that begin on a round time and hold everything known or expected. */
export function spanOf(batches: BatchDetail[], now: number, live: boolean): Span {
	const times = batches
		.flatMap((b) => [b.plannedAt, b.createdAt, b.finishedAt, b.ingestedAt, b.expectedEndAt])
		.filter((t): t is number => t !== null);
	if (live) times.push(now);
	const first = Math.min(...times);
	const last = Math.max(...times, first + 1);
	// Gaps of hours may begin on any full hour: that keeps the lanes as wide as the run.
	const begin = (s: number) => Math.floor(first / Math.min(s, 3600)) * Math.min(s, 3600);
	const step =
		stepsSeconds.find((s) => begin(s) + gaps * s >= last) ?? Math.ceil((last - first) / gaps / 86400 + 1) * 86400;
	const start = begin(step);
	return { start, end: start + gaps * step };
}

const place = (span: Span, at: number): number =>
	Math.min(100, Math.max(0, (100 * (at - span.start)) / (span.end - span.start)));

export const ticks = (span: Span): Tick[] =>
	Array.from({ length: gaps + 1 }, (_, i) => ({
		left: (100 * i) / gaps,
		at: span.start + (i * (span.end - span.start)) / gaps,
	}));

export const nowAt = (span: Span, now: number): number => place(span, now);

export function piecesOf(b: BatchDetail, span: Span, now: number): Piece[] {
	const pieces: Piece[] = [];
	const over = b.finishedAt ?? b.ingestedAt;
	const add = (kind: Piece["kind"], from: number, to: number) => {
		const left = place(span, from);
		const width = place(span, Math.max(from, to)) - left;
		pieces.push({ kind, left, width });
	};
	const ended = ["failed", "expired", "cancelled"].includes(b.state);
	add("q", b.plannedAt, b.createdAt ?? (ended ? (over ?? b.plannedAt) : now));
	if (b.createdAt) add("va", b.createdAt, b.startedAt ?? over ?? now);
	if (b.startedAt) add(over || b.finalizingAt ? "rund" : "run", b.startedAt, b.finalizingAt ?? over ?? now);
	if (b.finalizingAt) add("fi", b.finalizingAt, over ?? now);
	if (b.ingestedAt) add("in2", b.ingestedAt, b.ingestedAt);
	if (b.expectedEndAt && !over) {
		const from = b.expectedStartAt ?? Math.max(now, b.createdAt ?? now);
		if (b.expectedEndAt > from) add("exp", from, b.expectedEndAt);
	}
	return pieces.filter((p) => p.width > 0 || p.kind === "in2" || p.kind === "va");
}
