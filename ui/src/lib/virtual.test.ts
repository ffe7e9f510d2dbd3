import { expect, test } from "vitest";
import { overscanRows, rowWindow, scrollTo } from "./virtual";

const height = 30;

test("a short list is drawn whole", () => {
	expect(rowWindow(0, 600, height, 5)).toEqual({ first: 0, end: 5, above: 0, below: 0 });
});

test("of 20,000 rows only those near the view are drawn", () => {
	const w = rowWindow(300_000, 600, height, 20_000);
	expect(w.first).toBe(10_000 - overscanRows);
	expect(w.end - w.first).toBeLessThanOrEqual(21 + 2 * overscanRows);
});

test("drawn and not drawn rows always add up to the whole height", () => {
	for (const scrollTop of [0, 29, 30, 31, 5_999, 299_999, 599_400, 700_000]) {
		const w = rowWindow(scrollTop, 600, height, 20_000);
		expect(w.above + (w.end - w.first) * height + w.below).toBe(20_000 * height);
		expect(w.end).toBeLessThanOrEqual(20_000);
	}
});

test("what is in view is always drawn", () => {
	for (let scrollTop = 0; scrollTop <= 20_000 * height - 600; scrollTop += 7_777) {
		const w = rowWindow(scrollTop, 600, height, 20_000);
		expect(w.first * height).toBeLessThanOrEqual(scrollTop);
		expect(w.end * height).toBeGreaterThanOrEqual(scrollTop + 600);
	}
});

test("a list that shrank under the scroll position shows its end", () => {
	const w = rowWindow(300_000, 600, height, 40);
	expect(w.end).toBe(40);
	expect(w.first).toBeLessThan(40);
});

test("moving to a row scrolls no further than needed", () => {
	expect(scrollTo(3, 0, 600, height, 29)).toBe(0);
	expect(scrollTo(25, 0, 600, height, 29)).toBe(26 * height - (600 - 29));
	expect(scrollTo(2, 900, 600, height, 29)).toBe(60);
});
