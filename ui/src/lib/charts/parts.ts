// A policy's verdict counts as the parts of a bar.

import type { PolicySummary } from "../backend";
import { badness, ramp, shortVerdicts } from "../verdict";
import type { Part } from "./Stacked.svelte";

/** Best first; those without a verdict last. */
export function partsOf(policy: PolicySummary, counts: number[], without: number): Part[] {
	const all: Part[] = counts.map((n, i) => ({ n, tone: ramp(badness(policy, i)), word: policy.verdicts[i] ?? "" }));
	if (policy.worstFirst) all.reverse();
	return [...all, { n: without, tone: null, word: "No verdict" }];
}

/** The words of the colours, in the order of the bars. */
export function orderWords(policy: PolicySummary | undefined): string {
	const words = policy ? shortVerdicts(policy.verdicts) : [];
	return (policy?.worstFirst ? [...words].reverse() : words).join(", ");
}
