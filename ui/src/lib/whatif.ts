// What-if arithmetic: where scores stand on the histogram, how flips are ordered, and why they happen in words.

import type { Knob, KnobChange, PolicySummary, ScoreCount, WhatIfFlip } from "./backend/bindings";
import { decimal } from "./format";
import { badness, shortVerdicts } from "./verdict";

/** Bars to the right of the last threshold. */
const barsBeyond = 4;
const barsMin = 8;

export interface Bar {
	score: number;
	/** The last bar also holds every higher score. */
	open: boolean;
	count: number;
	verdictIndex: number | null;
}

export interface Histogram {
	bars: Bar[];
	/** Businesses at 0, which has no bar: nearly all of them are there. */
	atZero: number;
}

/** One bar a score, from the first above 0 (or the lowest below) to a few beyond the last threshold. */
export function histogram(scores: ScoreCount[], thresholds: number[]): Histogram {
	const lowest = Math.min(0, ...scores.map((s) => s.score), ...thresholds);
	const first = lowest < 0 ? lowest : 1;
	const last = Math.max(first + barsMin, ...thresholds.map((t) => t + barsBeyond));
	const bars: Bar[] = Array.from({ length: last - first + 1 }, (_, i) => ({
		score: first + i,
		open: i === last - first,
		count: 0,
		verdictIndex: null,
	}));
	let atZero = 0;
	for (const s of scores) {
		const bar = bars[Math.min(s.score, last) - first];
		if (!bar) atZero += s.count;
		else {
			bar.count += s.count;
			bar.verdictIndex ??= s.verdictIndex;
		}
	}
	return { bars, atZero };
}

/** Where a threshold stands, as a share of the width: at the left edge of its score's bar, or at the right edge for a maximum. */
export function placeOf(bars: Bar[], value: number, bound: Knob["bound"]): number {
	const first = bars[0]?.score ?? 0;
	const at = (value - first + (bound === "max" ? 1 : 0)) / Math.max(1, bars.length);
	return Math.min(1, Math.max(0, at));
}

/** The threshold that stands at a share of the width. */
export function valueAt(bars: Bar[], share: number, bound: Knob["bound"]): number {
	const first = bars[0]?.score ?? 0;
	return Math.round(Math.min(1, Math.max(0, share)) * bars.length) + first - (bound === "max" ? 1 : 0);
}

/** Above 0 when it gets worse. */
export function worsening(policy: PolicySummary, flip: Pick<WhatIfFlip, "before" | "after">): number {
	if (flip.before === null || flip.after === null) return 0;
	return badness(policy, flip.after) - badness(policy, flip.before);
}

/** What gets worse first, then the worst, then by name. */
export function orderFlips(policy: PolicySummary, flips: WhatIfFlip[]): WhatIfFlip[] {
	const bad = (f: WhatIfFlip) => (f.after === null ? 0 : badness(policy, f.after));
	const sign = (f: WhatIfFlip) => Math.sign(worsening(policy, f));
	return [...flips].sort(
		(a, b) => sign(b) - sign(a) || bad(b) - bad(a) || (b.score ?? 0) - (a.score ?? 0) || a.name.localeCompare(b.name),
	);
}

/** The rows while something is dragged: those there keep their place, new ones come behind. */
export function keepPlaces(shown: WhatIfFlip[], flips: WhatIfFlip[]): WhatIfFlip[] {
	const now = new Map(flips.map((f) => [f.business, f]));
	const kept = shown.map((f) => now.get(f.business) ?? { ...f, after: f.before, score: f.scoreBefore, causes: [] });
	const had = new Set(shown.map((f) => f.business));
	return [...kept, ...flips.filter((f) => !had.has(f.business))];
}

/** A change in a few words. */
export function changeWords(policy: PolicySummary, knob: Knob, value: number): string {
	const short = shortVerdicts(policy.verdicts);
	const verdict = knob.verdictIndex === null ? knob.label : (short[knob.verdictIndex] ?? knob.label);
	switch (knob.kind) {
		case "threshold":
			return knob.bound === "max"
				? `${verdict} now ends at ${decimal(value)}`
				: `${verdict} now starts at ${decimal(value)}`;
		case "points":
		case "modifier":
			return `${knob.label} ${decimal(knob.value)} → ${decimal(value)}`;
		case "recency":
			return `${knob.label.toLowerCase()} weighs ${value > knob.value ? "more" : "less"}`;
		case "count":
			return `${verdict} needs ${decimal(value)}, not ${decimal(knob.value)}`;
		case "weight":
			return "votes weigh differently";
	}
}

/** Where a key takes a slider; `null`: it is no key of a slider. Shift makes five steps of one, and nothing leads out of the bounds. */
export function keyMove(
	e: Pick<KeyboardEvent, "key" | "shiftKey">,
	value: number,
	knob: Pick<Knob, "min" | "max" | "step">,
): number | null {
	const { min, step } = knob;
	// What was dragged beyond the bound is not thrown back to it by a step.
	const max = Math.max(knob.max, value);
	if (e.key === "Home") return min;
	if (e.key === "End") return max;
	const one: Record<string, number> = {
		ArrowLeft: -1,
		ArrowDown: -1,
		ArrowRight: 1,
		ArrowUp: 1,
		PageDown: -5,
		PageUp: 5,
	};
	const by = one[e.key];
	if (by === undefined) return null;
	const to = value + by * (e.shiftKey && Math.abs(by) === 1 ? 5 : 1) * step;
	return Math.min(max, Math.max(min, Number(to.toFixed(6))));
}

/** Why a business flips. */
export function becauseOf(policy: PolicySummary, knobs: Knob[], changes: KnobChange[], flip: WhatIfFlip): string {
	if (flip.after === flip.before) return "no longer flips";
	const words = flip.causes.flatMap((id) => {
		const knob = knobs.find((k) => k.knob === id);
		const change = changes.find((c) => c.knob === id);
		return knob && change ? [changeWords(policy, knob, change.value)] : [];
	});
	if (words.length === 0) return "several changes together";
	return [...new Set(words)].join(", or ");
}
