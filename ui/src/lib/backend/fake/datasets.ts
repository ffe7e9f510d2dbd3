// The fake's datasets: imported, removed, put back; and its topics, whose coverage is a dataset's.

import type { ImportReport, RemovedDataset, TopicSummary } from "../bindings";
import { topics } from "./catalog";
import { refuse } from "./errors";
import type { Memory, Part } from "./memory";
import { dataset, type FakeDataset, sampleDataset } from "./story";
import { ownPolicy } from "./whatif";
import { makeBusinesses } from "./world";

type Commands = Part<
	| "datasetList"
	| "datasetImport"
	| "datasetImportSample"
	| "datasetRemove"
	| "datasetRemoved"
	| "datasetRestore"
	| "topicList"
>;

export function datasetCommands({ datasets, runs, catalog, now, emit, datasetOf, isLive }: Memory): Commands {
	const removed: { number: number; at: number; dataset: FakeDataset }[] = [];
	let removals = 0;
	const summary = (d: FakeDataset) => ({
		dataset: d.dataset,
		name: d.name,
		businesses: d.businesses.length,
		reviews: d.businesses.reduce((a, b) => a + b.reviews, 0),
		reviewsBusinessMax: Math.max(0, ...d.businesses.map((b) => b.reviews)),
		importedAt: d.importedAt,
		sample: d.sample,
	});
	const removedOf = (r: (typeof removed)[number]): RemovedDataset => {
		const { name, businesses, reviews } = summary(r.dataset);
		return { number: r.number, name, businesses, reviews, keptUntilAt: r.at + 30 * 86400 };
	};
	const setAside = (d: FakeDataset): RemovedDataset => {
		datasets.splice(datasets.indexOf(d), 1);
		const gone = { number: ++removals, at: now(), dataset: d };
		removed.unshift(gone);
		return removedOf(gone);
	};
	const reportOf = (d: FakeDataset, replaced: RemovedDataset | null = null): ImportReport => {
		const s = summary(d);
		return { dataset: s, businesses: s.businesses, reviews: s.reviews, skipped: 0, replaced, problems: [] };
	};
	const addDataset = (d: FakeDataset): ImportReport => {
		const former = datasets.find((x) => x.name === d.name);
		const replaced = former ? setAside(former) : null;
		datasets.push(d);
		emit("datasetsChanged", datasets.length);
		return reportOf(d, replaced);
	};

	return {
		datasetList: () => datasets.map(summary),
		datasetImport: (path, name) => {
			if (!/\.(jsonl|ndjson|json)$/i.test(path)) {
				refuse("fileFormat", `“${path}” holds no line that is a business.`, {
					detail: "line 1: expected `{`",
					safe: "Nothing was imported.",
					action: "Choose a JSON Lines file with one business a line.",
				});
			}
			if (path.includes("missing"))
				refuse("fileUnreadable", `“${path}” does not exist.`, {
					detail: "No such file or directory (os error 2)",
					safe: "Nothing was imported.",
				});
			const base =
				name ??
				path
					.split("/")
					.at(-1)!
					.replace(/\.\w+$/, "");
			const report = addDataset(dataset(base, base, makeBusinesses(base, 40, false), false, now(), []));
			return path.includes("broken")
				? {
						...report,
						skipped: 2,
						problems: [
							{ line: 17, field: "review_id", message: "the review has no id" },
							{ line: 31, field: null, message: "the line is not JSON: EOF while parsing a string" },
						],
					}
				: report;
		},
		datasetImportSample: () => {
			const had = datasets.find((d) => d.sample);
			return had ? reportOf(had) : addDataset(sampleDataset(now()));
		},
		datasetRemove: (id) => {
			const d = datasetOf(id);
			if (runs.some((r) => r.dataset === id && isLive(r)))
				refuse("datasetInUse", `A live run needs “${d.name}”.`, {
					safe: "Nothing was removed.",
					action: "Cancel the run first.",
				});
			const gone = setAside(d);
			emit("datasetsChanged", datasets.length);
			return gone;
		},
		datasetRemoved: () => removed.map(removedOf),
		datasetRestore: (number) => {
			const back = removed.find((r) => r.number === number) ?? refuse("notFound", "This dataset cannot be put back.");
			removed.splice(removed.indexOf(back), 1);
			const former = datasets.find((x) => x.name === back.dataset.name);
			if (former) setAside(former);
			datasets.push(back.dataset);
			emit("datasetsChanged", datasets.length);
			return summary(back.dataset);
		},
		topicList: (id) =>
			topics.map((t) => {
				const own = ownPolicy(t.topic);
				const mine = own && catalog.has(t.topic, own.variant) ? [own] : [];
				return { ...t, policies: [...t.policies, ...mine], coverage: id ? coverage(t, datasetOf(id)) : null };
			}),
	};
}

function coverage(t: TopicSummary, d: FakeDataset): TopicSummary["coverage"] {
	const known = d.known.get(t.topic);
	const at = (k: number) => d.businesses.reduce((a, b) => a + Math.min(k, b.reviews), 0) * 4;
	if (!known) return { votes: 0, completeK: null, known: 0, needed: at(50), k: 50, stale: 0 };
	return {
		votes: at(known.k),
		completeK: [25, 50, 100, 200].filter((k) => k <= known.k).at(-1) ?? null,
		known: at(Math.min(50, known.k)),
		needed: at(50),
		k: 50,
		stale: 0,
	};
}
