import { expect, test } from "vitest";
import type { Why } from "./backend/bindings";
import { whyWords } from "./compare";

test.each<[Why, string]>([
	[
		{ kind: "reviews", reviews: 25, incidents: 2, points: 7, gained: true },
		"25 more reviews with 2 incidents, +7 points",
	],
	[
		{ kind: "reviews", reviews: 25, incidents: 1, points: null, gained: false },
		"without 25 reviews that had 1 incident",
	],
	[{ kind: "counted", incidents: 1, points: 5, gained: false }, "1 review no longer counts, −5 points"],
	[{ kind: "points", incidents: 3, before: 12, after: 7 }, "3 incidents have fewer points: 12 → 7"],
	[{ kind: "threshold", verdict: "Critical Risk", before: 8, after: 6 }, "Critical Risk starts at 6 instead of 8"],
	[{ kind: "rule", before: "HIGH", after: "" }, "the default rule instead of HIGH"],
	[{ kind: "rule", before: "HIGH", after: "HIGH" }, "the rule HIGH finds other counts"],
	[{ kind: "method", points: 1, rule: "LOW", pointsAfter: true }, "1 point instead of the rule LOW"],
	[{ kind: "unjudged" }, "only one of the two has complete reviews to judge"],
])("%o", (why, words) => expect(whyWords(why)).toBe(words));
