// The fake's review queue: labels in doubt over the invented judgments, and the trail of what was decided.

import type {
	AppliedAggregator,
	LabelDetail,
	LabelQuery,
	OverrideEntry,
	OverrideReceipt,
	OverrideRequest,
	QueueLabel,
	QueueQuery,
	ReviewDetail,
	ReviewQueue,
} from "../bindings";
import { topicById } from "./catalog";
import { refuse } from "./errors";
import { judgments, outcome } from "./verdicts";
import type { Business, Judgment } from "./world";

const unsureBelow = 0.67;
const relevanceField = {
	field: "is_relevant",
	label: "Relevance",
	question: "Is the review about this topic?",
	values: [
		{ id: "true", label: "Relevant" },
		{ id: "false", label: "Not relevant" },
	],
};

interface Held {
	entry: OverrideEntry;
	topic: string;
}

export class FakeQueue {
	#trail: Held[] = [];

	#held(topic: string, reviewId: string, field: string): string | null {
		const found = this.#trail.findLast(
			(h) =>
				h.topic === topic &&
				h.entry.holds &&
				h.entry.reviewId === reviewId &&
				h.entry.fields.some((f) => f.field === field),
		);
		return found?.entry.fields[0]?.value ?? null;
	}

	/** A business's judgments with what people said in place of what was voted. */
	#settled(b: Business, topic: string, k: number, knownK: number): Judgment[] {
		const fields = topicById.get(topic)!.fields;
		return judgments(b, topic, k, knownK).map((j) => ({
			...j,
			relevant: (this.#held(topic, j.review.id, "is_relevant") ?? String(j.relevant)) === "true",
			values: j.values.map((v, f) => this.#held(topic, j.review.id, fields[f]!.field) ?? v),
		}));
	}

	#verdicts(b: Business, js: Judgment[], topic: string, k: number): (number | null)[] {
		return topicById.get(topic)!.policies.map((p, v) => outcome(b, js, v, k, p.worstFirst).verdictIndex);
	}

	#with(js: Judgment[], reviewId: string, topic: string, field: string, value: string): Judgment[] {
		const at = topicById.get(topic)!.fields.findIndex((f) => f.field === field);
		return js.map((j) =>
			j.review.id !== reviewId
				? j
				: at < 0
					? { ...j, relevant: value === "true" }
					: { ...j, values: j.values.map((v, f) => (f === at ? value : v)) },
		);
	}

	list(businesses: Business[], query: QueueQuery, knownK: number, applied: AppliedAggregator): ReviewQueue {
		const fields = topicById.get(query.topic)!.fields;
		const labels: QueueLabel[] = [];
		for (const b of businesses) {
			const js = this.#settled(b, query.topic, query.k, knownK);
			const now = this.#verdicts(b, js, query.topic, query.k);
			for (const j of js.filter((x) => x.relevant)) {
				for (const [f, field] of fields.entries()) {
					if (this.#held(query.topic, j.review.id, field.field) !== null) continue;
					const weight = (value: string) => j.votes.reduce((sum, v) => sum + (v.values[f] === value ? v.weight : 0), 0);
					const asked = j.votes.reduce((sum, v) => sum + v.weight, 0);
					const value = j.values[f] ?? null;
					const ranked = field.values.map((v) => v.id).filter((v) => v !== value && weight(v) > 0);
					ranked.sort((x, y) => weight(y) - weight(x));
					const won = value === null ? 0 : weight(value);
					const doubt =
						value === null
							? "noAnswer"
							: j.tied[f]
								? "tie"
								: won < unsureBelow * j.counted[f]!
									? "unsure"
									: won < unsureBelow * asked
										? "noAnswer"
										: null;
					if (!doubt) continue;
					const others = doubt === "noAnswer" ? field.values.map((v) => v.id).filter((v) => v !== value) : ranked;
					const flips = new Set<number>();
					for (const other of others) {
						const then = this.#verdicts(
							b,
							this.#with(js, j.review.id, query.topic, field.field, other),
							query.topic,
							query.k,
						);
						for (const [p, index] of then.entries()) if (index !== now[p]) flips.add(p);
					}
					labels.push({
						reviewId: j.review.id,
						business: b.id,
						businessName: b.name,
						field: field.field,
						value,
						rival: ranked[0] ?? null,
						doubt,
						confidence: value === null ? null : won / j.counted[f]!,
						verdicts: flips.size,
						expectedChanges:
							query.order === "value" ? flips.size * (1 - (value === null ? 0 : won / j.counted[f]!)) : null,
					});
				}
			}
		}
		labels.sort(
			(x, y) =>
				(y.expectedChanges ?? 0) - (x.expectedChanges ?? 0) ||
				y.verdicts - x.verdicts ||
				(x.confidence ?? 0) - (y.confidence ?? 0),
		);
		const expectedWrong = labels.reduce((sum, l) => sum + (l.expectedChanges ?? 0), 0);
		const stop = expectedWrong <= 0.5;
		const wrong = `About ${expectedWrong.toFixed(1)} verdicts are expected to be wrong`;
		const words = stop ? `${wrong}, as few as asked for. Labelling can stop.` : `${wrong}.`;
		return {
			query,
			labels,
			deciding: labels.filter((l) => l.verdicts > 0).length,
			unsureBelow,
			applied,
			outlook: query.order === "value" ? { expectedWrong, stop, words } : null,
		};
	}

	label(b: Business, review: ReviewDetail, query: LabelQuery, knownK: number): LabelDetail {
		const topic = topicById.get(query.topic)!;
		const at = topic.fields.findIndex((f) => f.field === query.field);
		if (at < 0 && query.field !== relevanceField.field) refuse("notFound", `The topic has no field ${query.field}.`);
		const field = topic.fields[at] ?? relevanceField;
		const js = this.#settled(b, query.topic, query.k, knownK);
		const mine = js.find((j) => j.review.id === query.reviewId);
		return {
			query,
			review,
			businessName: b.name,
			reviews: Math.min(query.k, b.reviews),
			field,
			value: mine ? (at < 0 ? String(mine.relevant) : (mine.values[at] ?? null)) : null,
			verdicts: this.#verdicts(b, js, query.topic, query.k),
			policies: topic.policies,
			outcomes: field.values.map((v) => ({
				description: `What ${v.label} means.`,
				weight: review.votes.reduce(
					(sum, vote) => sum + ((at < 0 ? String(vote.relevant) : vote.values[at]) === v.id ? vote.weight : 0),
					0,
				),
				verdicts: this.#verdicts(
					b,
					this.#with(js, query.reviewId, query.topic, query.field, v.id),
					query.topic,
					query.k,
				),
			})),
		};
	}

	set(b: Business, request: OverrideRequest, knownK: number, now: number): OverrideReceipt {
		const topic = topicById.get(request.topic)!;
		const js = this.#settled(b, request.topic, request.k, knownK);
		const at = topic.fields.findIndex((f) => f.field === request.field);
		const mine = js.find((j) => j.review.id === request.reviewId);
		const voted = mine ? (at < 0 ? String(mine.relevant) : (mine.values[at] ?? null)) : null;
		const kept = voted === request.value;
		if (!kept && !request.reason?.trim())
			refuse("invalidInput", "A correction needs a reason.", { safe: "Nothing was changed." });
		const before = this.#verdicts(b, js, request.topic, request.k);
		const after = this.#verdicts(
			b,
			this.#with(js, request.reviewId, request.topic, request.field, request.value),
			request.topic,
			request.k,
		);
		const number = this.#trail.length + 1;
		this.#trail.push({
			topic: request.topic,
			entry: {
				number,
				at: now,
				reviewId: request.reviewId,
				business: b.name,
				kind: kept ? "kept" : "changed",
				fields: [{ field: request.field, voted, value: request.value }],
				reason: request.reason?.trim() || "Looked at and kept",
				holds: true,
			},
		});
		return {
			number,
			kept,
			flips: topic.policies
				.map((p, v) => ({ policy: p.policy, before: before[v] ?? null, after: after[v] ?? null }))
				.filter((f) => f.before !== f.after),
		};
	}

	undo(number: number, now: number): null {
		const held = this.#trail.find((h) => h.entry.number === number && h.entry.kind !== "undone");
		if (!held) refuse("notFound", `There is no correction ${number}.`);
		if (!held.entry.holds) return null;
		held.entry.holds = false;
		this.#trail.push({
			topic: held.topic,
			entry: {
				...held.entry,
				number: this.#trail.length + 1,
				at: now,
				kind: "undone",
				reason: "Undone by hand",
				holds: false,
			},
		});
		return null;
	}

	trail(topic: string): OverrideEntry[] {
		return this.#trail
			.filter((h) => h.topic === topic)
			.map((h) => h.entry)
			.reverse();
	}
}
