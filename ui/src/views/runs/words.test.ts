import { expect, test } from "vitest";
import type { BatchDetail } from "../../lib/backend";
import { clock } from "../../lib/format";
import { queueWords } from "./words";

const now = 1_795_353_600;
const batch = (state: BatchDetail["state"], expectedStartAt: number | null): BatchDetail => ({
	batch: "1.1",
	model: "gpt-5-nano",
	ordinal: 1,
	ordinalOf: 1,
	state,
	requests: 10,
	completed: 0,
	failed: 0,
	providerId: null,
	plannedAt: now,
	createdAt: null,
	startedAt: null,
	finalizingAt: null,
	finishedAt: null,
	ingestedAt: null,
	expectedStartAt,
	expectedEndAt: null,
	errorCode: null,
	errorMessage: null,
});

test("what waits for room says when it should be sent, or plainly that nobody knows", () => {
	expect(queueWords([batch("inProgress", null)], now)).toBeNull();
	expect(queueWords([batch("waiting", null)], now)).toBe(
		"1 batch waits for room in the queue. When is not known yet: no batch of this account has ended.",
	);
	const soon = now + 3600;
	expect(queueWords([batch("waiting", soon), batch("planned", soon)], now)).toBe(
		`2 batches wait for room in the queue. They should be sent about ${clock(soon)}, by what this account's batches took so far.`,
	);
	expect(queueWords([batch("waiting", now), batch("planned", soon)], now)).toContain(
		`sent now to about ${clock(soon)}`,
	);
	expect(queueWords([batch("waiting", soon), batch("planned", null)], now)).toContain("not known yet");
});
