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

class Business {
	detail = $state.raw<BusinessDetail | null>(null);
	/** How sure this business's verdicts are, one policy after the other. */
	certainty = $state.raw<VerdictCertainties | null>(null);
	certaintyError = $state.raw<ApiError | null>(null);
	review = $state.raw<ReviewDetail | null>(null);
	error = $state.raw<ApiError | null>(null);
	reviewError = $state.raw<ApiError | null>(null);

	#asked: BusinessQuery | null = null;
	#askedReview = "";

	async load(query: BusinessQuery): Promise<void> {
		this.#asked = query;
		if (this.detail?.query.business !== query.business) {
			this.detail = null;
			this.certainty = null;
		}
		void this.#weigh(query);
		const r = await call(backend().commands.businessDetail(query));
		if (this.#asked !== query) return;
		this.detail = r.ok ? r.data : null;
		this.error = r.ok ? null : r.error;
	}

	/** Takes longer than the page, which does not wait for it. */
	async #weigh({ dataset, topic, business, k }: BusinessQuery): Promise<void> {
		const asked = this.#asked;
		const r = await call(backend().commands.businessCertainty({ dataset, topic, k }, business));
		if (this.#asked !== asked) return;
		this.certainty = r.ok ? r.data : null;
		this.certaintyError = r.ok ? null : r.error;
	}

	/** Both again, because a label was corrected. */
	async again(): Promise<void> {
		const review = this.review?.query;
		await Promise.all([
			this.#asked ? this.load({ ...this.#asked }) : null,
			review ? this.loadReview(review.dataset, review.topic, review.reviewId) : null,
		]);
	}

	async loadReview(dataset: string, topic: string, reviewId: string | null): Promise<void> {
		const key = `${dataset}\n${topic}\n${reviewId ?? ""}`;
		this.#askedReview = key;
		if (!reviewId) {
			this.review = null;
			return;
		}
		const r = await call(backend().commands.reviewDetail({ dataset, topic, reviewId }));
		if (this.#askedReview !== key) return;
		this.review = r.ok ? r.data : null;
		this.reviewError = r.ok ? null : r.error;
	}
}

export const business = new Business();
