import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { clock } from "./clock.svelte";

let hidden = false;

beforeEach(() => {
	vi.useFakeTimers({ now: 1_795_353_600_000 });
	vi.spyOn(document, "hidden", "get").mockImplementation(() => hidden);
});

afterEach(() => {
	hidden = false;
	vi.restoreAllMocks();
	vi.useRealTimers();
});

function turn(away: boolean): void {
	hidden = away;
	document.dispatchEvent(new Event("visibilitychange"));
}

test("the clock stands while the window is hidden, and is right at once when it is back", () => {
	const stop = clock.start();
	const began = clock.now;
	vi.advanceTimersByTime(3000);
	expect(clock.now - began).toBe(3);
	turn(true);
	vi.advanceTimersByTime(60_000);
	expect(clock.now - began).toBe(3);
	expect(vi.getTimerCount()).toBe(0);
	turn(false);
	expect(clock.now - began).toBe(63);
	vi.advanceTimersByTime(2000);
	expect(clock.now - began).toBe(65);
	stop();
	turn(false);
	expect(vi.getTimerCount()).toBe(0);
});
