// The list of the review queue: headings and labels of unequal height, of which only those in view are drawn.

import type { QueueLabel } from "./backend/bindings";
import { overscanRows } from "./virtual";

type QueueRow = { kind: "heading"; text: string } | { kind: "label"; label: QueueLabel; at: number };

export const headingHeight = 30;
export const labelHeight = 44;

export const relevance = "is_relevant";

/** What stands for a label in maps. */
export const keyOf = (l: { reviewId: string; field: string }): string => `${l.reviewId}\n${l.field}`;

const byVerdicts = (verdicts: number, first: boolean): string =>
	verdicts === 0
		? "No verdict depends on it"
		: first
			? `May flip ${verdicts} ${verdicts === 1 ? "verdict" : "verdicts"}`
			: `May flip ${verdicts}`;

/** In steps, so that a queue of thousands has few headings. */
const byValue = (changes: number): string =>
	changes >= 1
		? "Changes a verdict or more"
		: changes >= 0.5
			? "More likely than not to change one"
			: changes >= 0.1
				? "Changes one in 2 to 10 looks"
				: changes > 0
					? "Changes one in more than 10 looks"
					: "Not expected to change any";

/** The labels in their order, with a heading where what hangs on them changes. */
export function queueRows(labels: QueueLabel[]): QueueRow[] {
	const rows: QueueRow[] = [];
	let last: string | number | null = null;
	for (const [at, label] of labels.entries()) {
		const { verdicts, expectedChanges } = label;
		const step = expectedChanges === null ? verdicts : byValue(expectedChanges);
		if (step !== last) {
			const text = typeof step === "string" ? step : byVerdicts(step, rows.length === 0);
			rows.push({ kind: "heading", text });
			last = step;
		}
		rows.push({ kind: "label", label, at });
	}
	return rows;
}

/** Top of each row in px, and the height of them all behind the last. */
export function rowTops(rows: QueueRow[]): number[] {
	const tops = [0];
	for (const row of rows) tops.push(tops[tops.length - 1]! + (row.kind === "heading" ? headingHeight : labelHeight));
	return tops;
}

/** The first row that is drawn, and the one after the last. */
export function rowsInView(tops: number[], scrollTop: number, viewport: number): { first: number; end: number } {
	const rows = tops.length - 1;
	const below = (y: number) => {
		let [from, to] = [0, rows];
		while (from < to) {
			const middle = (from + to) >> 1;
			if (tops[middle + 1]! <= y) from = middle + 1;
			else to = middle;
		}
		return from;
	};
	return {
		first: Math.max(0, below(scrollTop) - overscanRows),
		end: Math.min(rows, below(scrollTop + viewport) + 1 + overscanRows),
	};
}
