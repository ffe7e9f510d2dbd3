// One business under one policy, and the review that is open beside it.

import {
	type ApiError,
	type BusinessDetail,
	type BusinessQuery,
	backend,
	call,
	type ReviewDetail,
	type VerdictCertainties,
} from "../backend";
import { app } from "./app.svelte";

class Business {
	detail = $state.raw<BusinessDetail | null>(null);
	/** How sure this business's verdicts are, one policy after the other. */
	certainty = $state.raw<VerdictCertainties | null>(null);
	certaintyError = $state.raw<ApiError | null>(null);
	review = $state.raw<ReviewDetail | null>(null);
	error = $state.raw<ApiError | null>(null);
	reviewError = $state.raw<ApiError | null>(null);

	#query: BusinessQuery | null = null;
	/** Counts questions: the same one may be asked again, of more votes. */
	#asked = 0;
	#askedReview = 0;
	/** What `certainty` is of, or will be. */
	#weighed: { dataset: string; topic: string; business: string; k: number; votes: unknown } | null = null;

	/** The page opens: labels and aggregators may have changed on others since the verdicts were weighed. */
	enter(): void {
		this.#weighed = null;
	}

	async load(query: BusinessQuery): Promise<void> {
		if (this.#query?.business !== query.business) this.error = null;
		this.#query = query;
		const asked = ++this.#asked;
		if (this.detail?.query.business !== query.business) this.detail = null;
		void this.#weigh(query);
		const r = await call(backend().commands.businessDetail(query));
		if (asked !== this.#asked) return;
		this.detail = r.ok ? r.data : null;
		this.error = r.ok ? null : r.error;
	}

	/** Takes longer than the page, which does not wait for it. It is of every policy; what was said of another K or of other votes goes. */
	async #weigh({ dataset, topic, business, k }: BusinessQuery): Promise<void> {
		const had = this.#weighed;
		const same = had && had.dataset === dataset && had.topic === topic && had.business === business && had.k === k;
		if (same && had.votes === app.topics) return;
		const asked = { dataset, topic, business, k, votes: app.topics };
		this.#weighed = asked;
		this.certainty = null;
		this.certaintyError = null;
		const r = await call(backend().commands.businessCertainty({ dataset, topic, k }, business));
		if (this.#weighed !== asked) return;
		if (!r.ok) this.#weighed = null;
		this.certainty = r.ok ? r.data : null;
		this.certaintyError = r.ok ? null : r.error;
	}

	/** Both again, because a label was corrected. */
	async again(): Promise<void> {
		const review = this.review?.query;
		this.#weighed = null;
		await Promise.all([
			this.#query ? this.load(this.#query) : null,
			review ? this.loadReview(review.dataset, review.topic, review.reviewId) : null,
		]);
	}

	async loadReview(dataset: string, topic: string, reviewId: string | null): Promise<void> {
		const asked = ++this.#askedReview;
		if (!reviewId) {
			this.review = this.reviewError = null;
			return;
		}
		const r = await call(backend().commands.reviewDetail({ dataset, topic, reviewId }));
		if (asked !== this.#askedReview) return;
		this.review = r.ok ? r.data : null;
		this.reviewError = r.ok ? null : r.error;
	}

	forget(): void {
		this.#query = null;
		this.#asked++;
		this.#askedReview++;
		this.#weighed = null;
		this.detail = null;
		this.certainty = null;
		this.certaintyError = null;
		this.review = null;
		this.error = null;
		this.reviewError = null;
	}
}

export const business = new Business();
