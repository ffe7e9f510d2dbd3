// What the fake's votes come to: verdicts, one business, one review, comparisons, What-if, and files of them.

import { topicById } from "./catalog";
import { byK, compare, confidence } from "./compare";
import { refuse } from "./errors";
import type { Memory, Part } from "./memory";
import { detail, overview } from "./verdicts";
import { draftOf, openPage, tryOut } from "./whatif";
import { judge } from "./world";

type Commands = Part<
	| "resultsOverview"
	| "businessDetail"
	| "reviewDetail"
	| "resultsCompare"
	| "resultsByK"
	| "resultsConfidence"
	| "whatIfOpen"
	| "whatIfTry"
	| "whatIfDraft"
	| "whatIfSave"
	| "groundTruthExport"
	| "fileSave"
>;

export function resultsCommands({ scenario, trust, catalog, datasetOf }: Memory): Commands {
	return {
		resultsOverview: (query) => {
			if (scenario === "failing")
				refuse("storeDamaged", "The stored votes of Allergy safety cannot be read.", {
					detail: "table votes_v1: checksum mismatch at page 4711",
					safe: "Your datasets and all other topics are untouched.",
					action: "Restore the last backup with quorumctl restore.",
				});
			const d = datasetOf(query.dataset);
			return {
				...overview(
					d.businesses,
					query,
					d.known.get(query.topic)?.k ?? 0,
					query.topic === "G1_allergy" && d.dataset === "metro" ? 3 : 0,
				),
				applied: trust.applied(query),
			};
		},
		businessDetail: (query) => {
			const d = datasetOf(query.dataset);
			const b = d.businesses.find((x) => x.id === query.business) ?? refuse("notFound", "There is no such business.");
			return { ...detail(b, query, d.known.get(query.topic)?.k ?? 0), applied: trust.applied(query) };
		},
		reviewDetail: (query) => {
			const d = datasetOf(query.dataset);
			const [business, index] = query.reviewId.split("-r");
			const b = d.businesses.find((x) => x.id === business) ?? refuse("notFound", "There is no such review.");
			const j = judge(b, Number(index), query.topic);
			const known = Number(index) < (d.known.get(query.topic)?.k ?? 0);
			const cues = [
				"peanut allergy",
				"lips started tingling",
				"Benadryl",
				"sesame",
				"hives",
				"shellfish allergy",
				"EpiPen",
				"hospital",
				"panang curry",
			];
			const total = j.votes.reduce((a, v) => a + v.weight, 0);
			return {
				query,
				business: b.id,
				position: j.review.position,
				date: j.review.date,
				stars: j.review.stars,
				useful: j.review.useful,
				text: j.review.text,
				cutAt: null,
				state: known ? "complete" : "unasked",
				relevance: {
					relevant: known ? j.relevant : null,
					tied: false,
					agreement: known ? { weightAgreeing: total, weightCounted: total } : null,
				},
				fields: topicById.get(query.topic)!.fields.map((field, f) => ({
					field,
					value: known && j.relevant ? j.values[f]! : null,
					confidence: known && j.relevant && j.counted[f] ? j.agreeing[f]! / j.counted[f]! : null,
					agreement: known && j.relevant ? { weightAgreeing: j.agreeing[f]!, weightCounted: j.counted[f]! } : null,
					tied: known && j.relevant && j.tied[f]!,
					overridden: false,
					cues: f === 1 && j.relevant ? cues : [],
				})),
				votes: known
					? j.votes.map((v) => ({
							model: v.model,
							run: v.run,
							weight: v.weight,
							relevant: v.relevant,
							values: v.relevant ? v.values : [null, null, null, null],
						}))
					: [],
				weightTotal: total,
			};
		},
		resultsCompare: (query) => {
			const d = datasetOf(query.dataset);
			return compare(d.businesses, query, d.known.get(query.topic)?.k ?? 0);
		},
		resultsByK: (id, topic) => {
			const d = datasetOf(id);
			return byK(d.businesses, id, topic, d.known.get(topic)?.k ?? 0);
		},
		resultsConfidence: (id, topic, k) => {
			const d = datasetOf(id);
			return confidence(d.businesses, id, topic, k, d.known.get(topic)?.k ?? 0);
		},
		whatIfOpen: (query) => {
			const d = datasetOf(query.dataset);
			return openPage(d.businesses, query, d.known.get(query.topic)?.k ?? 0);
		},
		whatIfTry: (request) => {
			const d = datasetOf(request.query.dataset);
			return tryOut(d.businesses, request, d.known.get(request.query.topic)?.k ?? 0);
		},
		whatIfDraft: (request, name) => draftOf(request, name),
		whatIfSave: (request, name) => {
			const draft = draftOf(request, name);
			catalog.yours.set(draft.file, `policy_id: ${draft.policy}\n`);
			return draft;
		},
		groundTruthExport: (request) => {
			if (!request.dir.startsWith("/"))
				refuse("fileUnwritable", `“${request.dir}” is not a directory that can be written.`, {
					safe: "Nothing was written.",
				});
			return {
				files: request.policies.map((p) => `${request.dir}/${p}_K${request.k}_groundtruth.json`),
				provisional: false,
			};
		},
		fileSave: (path) => {
			if (path.includes("readonly"))
				refuse("fileUnwritable", `${path} cannot be written.`, {
					safe: "A file that stood there before is unchanged.",
				});
			return path;
		},
	};
}
