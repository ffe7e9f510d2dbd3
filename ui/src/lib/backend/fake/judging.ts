// What people say of the fake's votes: the queue with its trail, gold labels, and what trust makes of them.

import type { Memory, Part } from "./memory";

type Commands = Part<
	| "queueList"
	| "queueLabel"
	| "overrideSet"
	| "overrideUndo"
	| "overrideTrail"
	| "trustReport"
	| "aggregatorChoose"
	| "labelSession"
	| "goldDraw"
	| "goldLabel"
	| "goldUndo"
	| "verdictCertainties"
	| "businessCertainty"
	| "valueQueue"
	| "ensembleAdvice"
>;

export function judgingCommands(m: Memory, { reviewDetail }: Part<"reviewDetail">): Commands {
	const { queue, trust, now, datasetOf, businessOf } = m;
	return {
		queueList: (query) => {
			const d = datasetOf(query.dataset);
			return queue.list(d.businesses, query, d.known.get(query.topic)?.k ?? 0, trust.applied(query));
		},
		queueLabel: (query) => {
			const { dataset, topic, reviewId } = query;
			const review = reviewDetail({ dataset, topic, reviewId });
			const known = datasetOf(dataset).known.get(topic)?.k ?? 0;
			return queue.label(businessOf(dataset, reviewId), review, query, known);
		},
		overrideSet: (request) => {
			const known = datasetOf(request.dataset).known.get(request.topic)?.k ?? 0;
			return queue.set(businessOf(request.dataset, request.reviewId), request, known, now());
		},
		overrideUndo: (number) => queue.undo(number, now()),
		overrideTrail: (_dataset, topic) => queue.trail(topic),
		trustReport: (query) => trust.report(query, datasetOf(query.dataset).known.has(query.topic)),
		aggregatorChoose: (query, aggregator) => trust.choose(query, aggregator),
		labelSession: (query) => trust.session(query),
		goldDraw: (query, size) => {
			const d = datasetOf(query.dataset);
			return trust.draw(query, size, d.businesses, d.known.get(query.topic)?.k ?? 0);
		},
		goldLabel: (request) => trust.label(request),
		goldUndo: (query) => trust.undo(query),
		verdictCertainties: (query) => {
			const d = datasetOf(query.dataset);
			return trust.certainties(query, d.businesses, d.known.has(query.topic));
		},
		businessCertainty: (query, business) => {
			const d = datasetOf(query.dataset);
			return trust.certainties(
				query,
				d.businesses.filter((b) => b.id === business),
				d.known.has(query.topic),
			);
		},
		valueQueue: () => trust.queue(),
		ensembleAdvice: (query) => trust.advice(query),
	};
}
