import { describe, expect, test } from "vitest";
import type { Knob, PolicySummary, WhatIfFlip } from "./backend/bindings";
import { becauseOf, histogram, keepPlaces, keyMove, orderFlips, placeOf, valueAt } from "./whatif";

const policy: PolicySummary = {
	policy: "T_V3",
	variant: "V3",
	title: "Points",
	verdicts: ["Low Risk", "High Risk", "Critical Risk"],
	worstFirst: false,
	scored: true,
};
const flip = (business: string, before: number, after: number, causes: string[] = []): WhatIfFlip => ({
	business,
	name: business,
	before,
	after,
	scoreBefore: 2,
	score: 3,
	causes,
});

describe("the histogram", () => {
	const scores = [
		{ score: 0, verdictIndex: 0, count: 65 },
		{ score: 2, verdictIndex: 0, count: 8 },
		{ score: 40, verdictIndex: 2, count: 3 },
		{ score: 99, verdictIndex: 2, count: 1 },
	];

	test("counts every business once: at 0, in its bar, or in the open one", () => {
		const { bars, atZero } = histogram(scores, [3, 8]);
		expect(atZero).toBe(65);
		expect(bars.map((b) => b.score)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
		expect(bars.at(-1)).toEqual({ score: 12, open: true, count: 4, verdictIndex: 2 });
		expect(bars.reduce((sum, b) => sum + b.count, atZero)).toBe(77);
	});

	test("has room for scores below 0, and then 0 has a bar", () => {
		const { bars, atZero } = histogram([...scores, { score: -3, verdictIndex: 0, count: 1 }], [2]);
		expect(bars[0]?.score).toBe(-3);
		expect([atZero, bars.find((b) => b.score === 0)?.count]).toEqual([0, 65]);
	});

	test("a handle's place and its value agree, for minima and maxima", () => {
		const { bars } = histogram(scores, [3, 8]);
		for (const bound of ["min", "max"] as const)
			for (const value of [1, 2, 5, 12]) expect(valueAt(bars, placeOf(bars, value, bound), bound)).toBe(value);
		expect(placeOf(bars, 500, "min")).toBe(1);
	});
});

describe("the flips", () => {
	test("what gets worse comes first", () => {
		const flips = [flip("better", 2, 0), flip("high", 0, 1), flip("critical", 1, 2)];
		expect(orderFlips(policy, flips).map((f) => f.business)).toEqual(["critical", "high", "better"]);
	});

	test("keep their places while dragging, and one that no longer flips stays and says so", () => {
		const rows = keepPlaces([flip("a", 0, 1), flip("b", 0, 1)], [flip("c", 0, 2), flip("b", 0, 2)]);
		expect(rows.map((f) => [f.business, f.before, f.after])).toEqual([
			["a", 0, 0],
			["b", 0, 2],
			["c", 0, 2],
		]);
		expect(becauseOf(policy, [], [], rows[0]!)).toBe("no longer flips");
	});

	test("say why", () => {
		const knob: Knob = {
			knob: "t",
			kind: "threshold",
			label: "High Risk",
			path: "",
			value: 3,
			min: 0,
			max: 20,
			step: 1,
			verdictIndex: 1,
			bound: "min",
		};
		const older: Knob = { ...knob, knob: "r", kind: "recency", label: "Older than 3 years", value: 0.25 };
		const changes = [
			{ knob: "t", value: 2 },
			{ knob: "r", value: 0.5 },
		];
		const words = (causes: string[]) => becauseOf(policy, [knob, older], changes, flip("a", 0, 1, causes));
		expect(words(["t"])).toBe("High now starts at 2");
		expect(words(["t", "r"])).toBe("High now starts at 2, or older than 3 years weighs more");
		expect(words([])).toBe("several changes together");
	});
});

describe("keys on a slider", () => {
	const bounds = { min: 1, max: 12, step: 1 };
	const press = (key: string, value: number, shiftKey = false) => keyMove({ key, shiftKey }, value, bounds);

	test("take it one step or five, and to its ends", () => {
		expect([press("ArrowLeft", 4), press("ArrowUp", 4), press("ArrowRight", 4, true), press("PageDown", 8)]).toEqual([
			3, 5, 9, 3,
		]);
		expect([press("Home", 4), press("End", 4)]).toEqual([1, 12]);
		expect(press("a", 4)).toBeNull();
	});

	test("never lead out of its bounds", () => {
		expect([press("ArrowLeft", 1), press("ArrowLeft", 3, true), press("ArrowRight", 12), press("PageUp", 10)]).toEqual([
			1, 1, 12, 12,
		]);
		// It was dragged beyond: a key does not throw it back.
		expect([press("ArrowRight", 20), press("ArrowLeft", 20)]).toEqual([20, 19]);
	});
});
