import { expect, test } from "vitest";
import { lanes, spread } from "./labels";

test("places that are far enough apart stay, others make room within the ends", () => {
	expect(spread([10, 40, 80], 12, 0, 100)).toEqual([10, 40, 80]);
	expect(spread([10, 11, 12], 12, 0, 100)).toEqual([10, 22, 34]);
	expect(spread([90, 95, 99], 12, 0, 100)).toEqual([76, 88, 100]);
});

test("no two labels of twelve touch, and each stays inside", () => {
	const width = 90;
	const labels = Array.from({ length: 12 }, (_, i) => ({ at: 10 + i * 17, width }));
	const placed = lanes(labels, 240);
	for (const [i, a] of placed.entries()) {
		expect(a.x).toBeGreaterThanOrEqual(0);
		expect(a.x + width).toBeLessThanOrEqual(240);
		for (const b of placed.slice(i + 1))
			expect(a.lane !== b.lane || Math.abs(a.x - b.x) >= width, `${i} touches another`).toBe(true);
	}
	// Two that have room share a lane.
	expect(
		lanes(
			[
				{ at: 40, width: 50 },
				{ at: 140, width: 50 },
			],
			240,
		).map((l) => l.lane),
	).toEqual([0, 0]);
});
