import { expect, test } from "vitest";
import type { BatchDetail } from "../../lib/backend";
import { piecesOf, spanOf, ticks } from "./lanes";

const batch = (over: Partial<BatchDetail>): BatchDetail => ({
	batch: "b",
	model: "gpt-5-nano",
	ordinal: 1,
	ordinalOf: 1,
	state: "waiting",
	requests: 100,
	completed: 0,
	failed: 0,
	providerId: null,
	plannedAt: 36_000,
	createdAt: null,
	startedAt: null,
	finalizingAt: null,
	finishedAt: null,
	ingestedAt: null,
	expectedStartAt: null,
	expectedEndAt: null,
	errorCode: null,
	errorMessage: null,
	...over,
});
const kinds = (b: BatchDetail, now: number) => piecesOf(b, { start: 36_000, end: 54_000 }, now).map((p) => p.kind);

test("the span begins on a round time and holds all that is known or expected", () => {
	const span = spanOf([batch({ plannedAt: 36_720, expectedEndAt: 66_000 })], 51_000, true);
	expect(span.start % 3600).toBe(0);
	expect(span.start).toBeLessThanOrEqual(36_720);
	expect(span.end).toBeGreaterThanOrEqual(66_000);
	expect(ticks(span)).toHaveLength(6);
});

test("a run of seconds and a run of weeks both fit", () => {
	expect(spanOf([batch({ plannedAt: 100, ingestedAt: 103 })], 103, false)).toEqual({ start: 100, end: 105 });
	const weeks = spanOf([batch({ plannedAt: 0, ingestedAt: 30 * 86_400 })], 0, false);
	expect(weeks.end).toBeGreaterThanOrEqual(30 * 86_400);
});

test("each state shows what has happened so far", () => {
	expect(kinds(batch({}), 45_000)).toEqual(["q"]);
	expect(kinds(batch({ createdAt: 37_000 }), 37_500)).toEqual(["q", "va"]);
	expect(kinds(batch({ createdAt: 37_000, startedAt: 37_100, expectedEndAt: 48_000 }), 45_000)).toEqual([
		"q",
		"va",
		"run",
		"exp",
	]);
	const done = batch({
		state: "ingested",
		createdAt: 37_000,
		startedAt: 37_100,
		finalizingAt: 40_000,
		finishedAt: 41_000,
		ingestedAt: 41_100,
		expectedEndAt: 48_000,
	});
	expect(kinds(done, 45_000)).toEqual(["q", "va", "rund", "fi", "in2"]);
});

test("no piece leaves the lane", () => {
	const b = batch({ plannedAt: 0, createdAt: 10, startedAt: 20, expectedEndAt: 900_000 });
	for (const p of piecesOf(b, { start: 36_000, end: 54_000 }, 45_000)) {
		expect(p.left).toBeGreaterThanOrEqual(0);
		expect(p.left + p.width).toBeLessThanOrEqual(100);
	}
});
