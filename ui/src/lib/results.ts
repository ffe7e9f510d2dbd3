// Sorting and filtering of result rows. Pure, and fast enough for 20,000 of them.

import type { PolicySummary, ResultsOverview, ResultsRow } from "./backend/bindings";
import type { Table } from "./csv";
import { locale, settledBy } from "./format";
import { badness } from "./verdict";

export interface Sort {
	key: "name" | "relevant" | "incidents" | "policy" | "moved" | "leastSure";
	/** Index of the policy, for `policy`. */
	policy: number;
	down: boolean;
}

export interface Filters {
	text: string;
	/** One outcome of one policy. */
	verdict: { policy: number; index: number } | null;
	/** Two policies that disagree. */
	differs: [number, number] | null;
	moved: boolean;
	unsure: boolean;
}

export const noFilters: Filters = { text: "", verdict: null, differs: null, moved: false, unsure: false };

/** Below this, a confidence needs a look. */
export const unsureBelow = 0.67;

export const anyFilter = (f: Filters): boolean =>
	f.text.trim() !== "" || f.verdict !== null || f.differs !== null || f.moved || f.unsure;

export const movedCount = (r: ResultsRow): number =>
	r.verdicts.filter((v) => v.comparedIndex !== null && v.comparedIndex !== v.verdictIndex).length;

export const isUnsure = (r: ResultsRow): boolean => r.leastSure !== null && r.leastSure < unsureBelow;

export const differ = (r: ResultsRow, [a, b]: [number, number]): boolean => {
	const x = r.verdicts[a]?.verdictIndex ?? null;
	const y = r.verdicts[b]?.verdictIndex ?? null;
	return x !== null && y !== null && x !== y;
};

/** Comparing by a language's rules is slow, so each list of rows is put in order once. */
const nameOrders = new WeakMap<ResultsRow[], ResultsRow[]>();

function byName(rows: ResultsRow[]): ResultsRow[] {
	let sorted = nameOrders.get(rows);
	if (!sorted) {
		const collator = new Intl.Collator(locale, { numeric: true, sensitivity: "base" });
		sorted = [...rows].sort((a, b) => collator.compare(a.name, b.name));
		nameOrders.set(rows, sorted);
	}
	return sorted;
}

const searchTexts = new WeakMap<ResultsRow, string>();

function searchText(r: ResultsRow): string {
	let text = searchTexts.get(r);
	if (text === undefined) {
		text = `${r.name} ${r.categories}`.toLowerCase();
		searchTexts.set(r, text);
	}
	return text;
}

/** Rows arrive once and are looked at in the same few orders whenever the page is opened. */
const orders = new WeakMap<ResultsRow[], Map<string, ResultsRow[]>>();

/** Rows with equal keys keep dataset order; rows without a value come last, whichever way the order runs. `policies` are those that
 * the rows came with. */
export function sortRows(rows: ResultsRow[], policies: PolicySummary[], sort: Sort): ResultsRow[] {
	const known = orders.get(rows) ?? new Map<string, ResultsRow[]>();
	orders.set(rows, known);
	const order = `${sort.key} ${sort.policy} ${sort.down}`;
	const sorted = known.get(order) ?? inOrder(rows, policies, sort);
	known.set(order, sorted);
	return sorted;
}

function inOrder(rows: ResultsRow[], policies: PolicySummary[], sort: Sort): ResultsRow[] {
	if (sort.key === "name") {
		const sorted = byName(rows);
		return sort.down ? [...sorted].reverse() : sorted;
	}
	const keys = rows.map((r, at) => ({ r, at, key: sortKey(r, policies, sort) }));
	const sign = sort.down ? -1 : 1;
	keys.sort((a, b) => {
		if (a.key === null || b.key === null) return a.key === b.key ? a.at - b.at : a.key === null ? 1 : -1;
		return sign * (a.key - b.key) || a.at - b.at;
	});
	return keys.map((k) => k.r);
}

function sortKey(r: ResultsRow, policies: PolicySummary[], sort: Sort): number | null {
	switch (sort.key) {
		case "relevant":
			return r.relevant;
		case "incidents":
			return r.incidents;
		case "moved":
			return movedCount(r);
		case "leastSure":
			return r.leastSure;
		case "policy": {
			const cell = r.verdicts[sort.policy];
			const policy = policies[sort.policy];
			if (!cell || !policy || cell.verdictIndex === null) return null;
			// Worst first when down: by outcome, then by points within it. Points lie far below one outcome's step.
			return badness(policy, cell.verdictIndex) * 1e9 + (cell.score ?? 0);
		}
		default:
			return null;
	}
}

export function filterRows(rows: ResultsRow[], f: Filters): ResultsRow[] {
	if (!anyFilter(f)) return rows;
	const words = f.text.toLowerCase().split(/\s+/).filter(Boolean);
	return rows.filter((r) => {
		if (f.verdict && r.verdicts[f.verdict.policy]?.verdictIndex !== f.verdict.index) return false;
		if (f.differs && !differ(r, f.differs)) return false;
		if (f.moved && movedCount(r) === 0) return false;
		if (f.unsure && !isUnsure(r)) return false;
		if (words.length === 0) return true;
		const text = searchText(r);
		return words.every((w) => text.includes(w));
	});
}

/** The rows that are shown, in their order, as a table to keep: outcomes in words, figures as they are. */
export function resultsTable(data: ResultsOverview, rows: ResultsRow[]): Table {
	const { compareK } = data.query;
	const policies = data.policies.map((p) => p.summary);
	const head = policies.flatMap((p) => [
		p.policy,
		...(p.scored ? [`${p.policy} points`] : []),
		...(compareK === null ? [] : [`${p.policy} K=${compareK}`]),
	]);
	const word = (p: PolicySummary, index: number | null | undefined) =>
		index == null ? null : (p.verdicts[index] ?? null);
	return {
		head: [
			"business",
			"name",
			"categories",
			"reviews",
			"complete",
			"relevant",
			"incidents",
			...head,
			"lowest confidence",
			"settled by",
		],
		rows: rows.map((r) => [
			r.business,
			r.name,
			r.categories,
			r.reviews,
			r.reviewsComplete,
			r.relevant,
			r.incidents,
			...policies.flatMap((p, i) => {
				const cell = r.verdicts[i];
				return [
					word(p, cell?.verdictIndex),
					...(p.scored ? [cell?.score ?? null] : []),
					...(compareK === null ? [] : [word(p, cell?.comparedIndex)]),
				];
			}),
			r.leastSure,
			settledBy(data.applied),
		]),
	};
}
