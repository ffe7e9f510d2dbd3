import { describe, expect, test } from "vitest";
import { badness, diamondFill, failureWords, ramp, shortVerdicts, verdictLooks } from "./verdict";

const worstLast = (n: number) => ({ verdicts: Array.from({ length: n }, (_, i) => `v${i}`), worstFirst: false });

test.each([
	[2, [0, 4]],
	[3, [0, 2, 4]],
	[5, [0, 1, 2, 3, 4]],
	[12, [0, 0, 1, 1, 1, 2, 2, 3, 3, 3, 4, 4]],
])("%i outcomes on the ramp", (n, tones) => {
	const policy = worstLast(n);
	expect(policy.verdicts.map((_, i) => ramp(badness(policy, i)))).toEqual(tones);
});

test("colour follows badness where the best outcome stands last", () => {
	const policy = { verdicts: ["Needs Improvement", "Satisfactory", "Excellent"], worstFirst: true };
	expect(policy.verdicts.map((_, i) => badness(policy, i))).toEqual([1, 0.5, 0]);
});

test("a single outcome is not bad", () => {
	expect(badness(worstLast(1), 0)).toBe(0);
});

describe("the diamond", () => {
	test("is empty at best and full at worst", () => {
		expect(diamondFill(0)).toBe("");
		expect(diamondFill(1)).toBe("M6 .9 11.1 6 6 11.1.9 6Z");
		expect(diamondFill(0.5)).toBe("M0.90 6.00H11.10L6 11.1Z");
	});
	test("never leaves its outline", () => {
		for (let level = 0.01; level < 1; level += 0.01) {
			const [x, y] = diamondFill(level).slice(1).split(/[ H]/).map(Number) as [number, number];
			expect(Math.abs(x - 6) + Math.abs(y - 6)).toBeLessThanOrEqual(5.12);
		}
	});
});

test("a last word that all outcomes share is left out", () => {
	expect(shortVerdicts(["Low Risk", "High Risk", "Critical Risk"])).toEqual(["Low", "High", "Critical"]);
	expect(shortVerdicts(["Needs Improvement", "Excellent"])).toEqual(["Needs Improvement", "Excellent"]);
	expect(shortVerdicts(["Risk", "High Risk"])).toEqual(["Risk", "High Risk"]);
	expect(shortVerdicts(["Only Risk"])).toEqual(["Only Risk"]);
});

test("looks are worked out once a policy", () => {
	const policy = { verdicts: ["Low Risk", "High Risk"], worstFirst: false };
	expect(verdictLooks(policy)).toEqual([
		{ word: "Low Risk", short: "Low", tone: 0, fill: "" },
		{ word: "High Risk", short: "High", tone: 4, fill: diamondFill(1) },
	]);
	expect(verdictLooks(policy)).toBe(verdictLooks(policy));
});

test("every cause of failure has words", () => {
	for (const words of Object.values(failureWords)) expect(words.length).toBeGreaterThan(8);
});
