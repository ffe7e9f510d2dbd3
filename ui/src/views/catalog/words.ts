// What edits of the catalog do, in words.

import type { CatalogCheck, CatalogFile, TopicChangeKind } from "../../lib/backend";
import { count, counted } from "../../lib/format";

export const changeWords: Record<TopicChangeKind, string> = {
	added: "New topic",
	removed: "Left out until it reads. Its votes stay stored",
	terms: "Asks something else: votes on the present terms become stale",
	prompt: "Models read other words, the answers stay comparable: votes stay valid",
	policies: "Verdicts are worked out again from the votes you have, at no cost",
	words: "Only names that you see",
};

/** Topics by what happens to them, gravest first. */
export function changeGroups(check: CatalogCheck): { kind: TopicChangeKind; names: string[] }[] {
	const order: TopicChangeKind[] = ["removed", "terms", "prompt", "policies", "added", "words"];
	return order
		.map((kind) => ({ kind, names: check.topics.filter((t) => t.kind === kind).map((t) => t.name) }))
		.filter((g) => g.names.length > 0);
}

/** What a file is, for its head: `Built in`, `Yours`, `Yours, as built in`. */
export function fileWords(file: CatalogFile): string {
	if (!file.yours) return "Built in";
	if (!file.builtin) return "Yours";
	return file.changed ? "Yours, instead of the built-in file" : "Yours, same as the built-in file";
}

export const linesChanged = (before: string, after: string): string => {
	const [a, b] = [before.split("\n"), after.split("\n")];
	const same = new Map<string, number>();
	for (const line of a) same.set(line, (same.get(line) ?? 0) + 1);
	let added = 0;
	for (const line of b) {
		const left = same.get(line) ?? 0;
		if (left > 0) same.set(line, left - 1);
		else added += 1;
	}
	const gone = [...same.values()].reduce((sum, n) => sum + n, 0);
	if (added === 0 && gone === 0) return a.length === b.length ? "lines in another order" : "";
	return `${counted(added, "line")} added, ${count(gone)} removed`;
};
