import { expect, test } from "vitest";
import { zoomStep, zoomSteps } from "./state/zoom";

test("steps go up and down and stop at the ends", () => {
	expect(zoomStep(100, 1)).toBe(110);
	expect(zoomStep(100, -1)).toBe(90);
	expect(zoomStep(105, -1)).toBe(100);
	expect(zoomStep(200, 1)).toBe(200);
	expect(zoomStep(50, -1)).toBe(50);
	for (const step of zoomSteps.slice(0, -1)) expect(zoomStep(zoomStep(step, 1), -1)).toBe(step);
});
