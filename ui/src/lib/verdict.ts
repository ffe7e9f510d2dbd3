// How a verdict looks: colour and fill follow badness, not rank, and never stand alone.

import type { FailureCause, PolicySummary } from "./backend/bindings";

/** 0 = best, 1 = worst. */
export function badness(policy: Pick<PolicySummary, "verdicts" | "worstFirst">, index: number): number {
	const last = policy.verdicts.length - 1;
	if (last <= 0) return 0;
	return (policy.worstFirst ? last - index : index) / last;
}

/** The step of the five-colour ramp. */
export const ramp = (bad: number): number => Math.round(bad * 4);

/** The filled part of a 12 × 12 diamond, from its lower corner up. Empty at 0. */
export function diamondFill(level: number): string {
	if (level <= 0) return "";
	if (level >= 1) return "M6 .9 11.1 6 6 11.1.9 6Z";
	const y = 11.1 - 10.2 * level;
	const half = 5.1 - Math.abs(y - 6);
	const left = (6 - half).toFixed(2);
	const right = (6 + half).toFixed(2);
	const top = y.toFixed(2);
	return y >= 6 ? `M${left} ${top}H${right}L6 11.1Z` : `M${left} ${top}H${right}L11.1 6 6 11.1.9 6Z`;
}

/** `Low Risk`, `High Risk` → `Low`, `High`: a last word that all share says nothing in a column. */
export function shortVerdicts(verdicts: string[]): string[] {
	if (verdicts.length < 2) return verdicts;
	const words = verdicts.map((v) => v.split(" "));
	const last = words[0]?.at(-1);
	if (words.some((w) => w.length < 2 || w.at(-1) !== last)) return verdicts;
	return words.map((w) => w.slice(0, -1).join(" "));
}

/** What went wrong with a request, in plain words. */
export const failureWords: Record<FailureCause, string> = {
	timeout: "No answer within the provider's time limit",
	emptyAnswer: "Empty answer from the provider",
	cutOff: "Cut off at the output limit, paid",
	refused: "Refused by the content filter",
	rateLimited: "Turned away, too many requests",
	providerFailed: "The provider failed",
	requestRejected: "The provider rejects this request",
	unreadable: "Answer could not be read, paid",
	expired: "Not reached before the batch expired",
	cancelled: "Cancelled before it was reached",
	missing: "No line for it in the provider's files",
	unclear: "No answer arrived; it may have been billed",
	batchRefused: "The whole batch was refused",
	batchMissing: "The whole batch is gone at the provider",
	other: "Failed for another reason",
};

interface VerdictLook {
	word: string;
	short: string;
	/** Step of the colour ramp. */
	tone: number;
	/** Path of the filled part, empty at best. */
	fill: string;
}

/** A table draws the same few outcomes hundreds of times; each policy's are worked out once. */
const known = new WeakMap<string[], VerdictLook[]>();

export function verdictLooks(policy: Pick<PolicySummary, "verdicts" | "worstFirst">): VerdictLook[] {
	let looks = known.get(policy.verdicts);
	if (!looks) {
		const short = shortVerdicts(policy.verdicts);
		looks = policy.verdicts.map((word, i) => {
			const bad = badness(policy, i);
			return { word, short: short[i] ?? word, tone: ramp(bad), fill: diamondFill(bad) };
		});
		known.set(policy.verdicts, looks);
	}
	return looks;
}
