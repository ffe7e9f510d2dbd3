// The list of the review queue: headings and labels of unequal height, of which only those in view are drawn.

import type { QueueLabel } from "./backend/bindings";
import { overscanRows } from "./virtual";

export type QueueRow = { kind: "heading"; text: string } | { kind: "label"; label: QueueLabel; at: number };

export const headingHeight = 30;
export const labelHeight = 44;

export const relevance = "is_relevant";

/** What stands for a label in maps. */
export const keyOf = (l: { reviewId: string; field: string }): string => `${l.reviewId}\n${l.field}`;

const heading = (verdicts: number, first: boolean): string =>
	verdicts === 0
		? "No verdict depends on it"
		: first
			? `May flip ${verdicts} ${verdicts === 1 ? "verdict" : "verdicts"}`
			: `May flip ${verdicts}`;

/** The labels in their order, with a heading where what hangs on them changes. */
export function queueRows(labels: QueueLabel[]): QueueRow[] {
	const rows: QueueRow[] = [];
	let verdicts: number | null = null;
	for (const [at, label] of labels.entries()) {
		if (label.verdicts !== verdicts) {
			rows.push({ kind: "heading", text: heading(label.verdicts, rows.length === 0) });
			verdicts = label.verdicts;
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
