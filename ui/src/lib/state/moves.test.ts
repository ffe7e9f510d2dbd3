import { expect, test } from "vitest";
import { MovesByPolicy } from "./moves";

const at = (policy: string, k: number) => ({ dataset: "metro", topic: "G1_allergy", policy, k });
const values = (of: Record<string, number>) => new Map(Object.entries(of));

test("each policy has its own moves and its own way back", () => {
	const moves = new MovesByPolicy();
	moves.keep(at("V2", 50), values({ "points.1": 7 }), [values({})]);
	moves.keep(at("V3", 50), values({ "points.2": 9 }), []);
	expect(moves.of(at("V2", 50))).toEqual({ values: values({ "points.1": 7 }), past: [values({})] });
	expect(moves.of(at("V3", 50)).values).toEqual(values({ "points.2": 9 }));
	expect(moves.of(at("V1", 50)).values.size).toBe(0);
});

test("a threshold belongs to the K it was moved at, points to every K", () => {
	const moves = new MovesByPolicy();
	const past = [values({}), values({ "threshold.1": 4 }), values({ "threshold.1": 3 })];
	moves.keep(at("V2", 25), values({ "threshold.1": 3, "points.1": 7 }), past);
	// Two of the former steps moved nothing that is of this K: one step back is left.
	expect(moves.of(at("V2", 50))).toEqual({ values: values({ "points.1": 7 }), past: [values({})] });
	moves.keep(at("V2", 50), values({ "threshold.1": 9, "points.1": 8 }), []);
	expect(moves.of(at("V2", 25)).values).toEqual(values({ "threshold.1": 3, "points.1": 8 }));
	expect(moves.of(at("V2", 50)).values).toEqual(values({ "threshold.1": 9, "points.1": 8 }));
});
