// Trust in one topic's votes: the report, what follows for verdicts and the ensemble, and the labelling session.

import {
	type AggregatorId,
	type ApiError,
	backend,
	type Commands,
	call,
	type EnsembleAdvice,
	type LabelledField,
	type LabelSession,
	type TrustQuery,
	type TrustReport,
	type VerdictCertainties,
} from "../backend";
import { app } from "./app.svelte";
import { selection } from "./route.svelte";

const sameQuery = (a: TrustQuery, b: TrustQuery): boolean =>
	(["dataset", "topic", "k"] as const).every((key) => a[key] === b[key]);

class Trust {
	report = $state.raw<TrustReport | null>(null);
	reportError = $state.raw<ApiError | null>(null);
	certainties = $state.raw<VerdictCertainties | null>(null);
	certaintiesError = $state.raw<ApiError | null>(null);
	advice = $state.raw<EnsembleAdvice | null>(null);
	adviceError = $state.raw<ApiError | null>(null);
	session = $state.raw<LabelSession | null>(null);
	sessionError = $state.raw<ApiError | null>(null);
	loading = $state(false);
	/** A command of the session or the choice of an aggregator is under way. */
	busy = $state(false);
	/** The labelling session is on screen. */
	labelling = $state(false);
	/** `null` until relevance was answered. */
	relevant = $state<boolean | null>(null);
	/** Answers to the open review's fields so far; `null`: cannot tell. */
	answers = $state.raw<(string | null)[]>([]);

	query = $derived.by((): TrustQuery | null => {
		const { dataset, topic, k } = selection;
		return dataset && topic ? { dataset, topic, k } : null;
	});
	/** The field that is asked now; `null`: relevance. */
	field = $derived(this.relevant ? (this.session?.fields[this.answers.length] ?? null) : null);

	#query: TrustQuery | null = null;
	/** Counts questions: an answer to an earlier one is of fewer votes. */
	#asked = 0;
	#again = false;
	/** Counts steps of the session: a session that was read before one is of before it. */
	#steps = 0;

	/** Why parts could not be worked out, each reason once. */
	failures = $derived.by(() => {
		const all = [this.reportError, this.sessionError, this.certaintiesError, this.adviceError];
		return all.filter((e): e is ApiError => e !== null && all.find((o) => o?.message === e.message) === e);
	});

	/** Another try at what failed. */
	again(): void {
		this.reportError = this.sessionError = this.certaintiesError = this.adviceError = null;
		void this.load(this.query);
	}

	/** Each part is shown as soon as it is known, and what is on screen stays until then, unless it is about something else. It takes
	 * seconds, so while votes come in the next look waits for the one under way. */
	async load(query: TrustQuery | null): Promise<void> {
		const had = this.#query;
		const same = had !== null && query !== null && sameQuery(had, query);
		if (same && this.loading) {
			this.#again = true;
			return;
		}
		if (had && !same) this.#clear(had.dataset !== query?.dataset || had.topic !== query.topic);
		this.#query = query;
		const asked = ++this.#asked;
		if (!query) {
			this.loading = false;
			return;
		}
		this.loading = true;
		do {
			this.#again = false;
			await this.#look(query, asked);
		} while (this.#again && asked === this.#asked);
		if (asked === this.#asked) this.loading = false;
	}

	/** A part that cannot be worked out hides no other. */
	async #look(query: TrustQuery, asked: number): Promise<void> {
		const take = async <T>(
			answer: Parameters<typeof call<T>>[0],
			show: (data: T | null, error: ApiError | null) => void,
		): Promise<void> => {
			const r = await call(answer);
			if (asked === this.#asked) show(r.ok ? r.data : null, r.ok ? null : r.error);
		};
		const commands = backend().commands;
		const steps = this.#steps;
		await Promise.all([
			take(commands.trustReport(query), (report, error) => {
				this.report = report;
				this.reportError = error;
			}),
			take(commands.labelSession(query), (session, error) => {
				if (session && steps === this.#steps) this.#open(session);
				this.sessionError = error;
			}),
			take(commands.verdictCertainties(query), (certainties, error) => {
				this.certainties = certainties;
				this.certaintiesError = error;
			}),
			take(commands.ensembleAdvice(query), (advice, error) => {
				this.advice = advice;
				this.adviceError = error;
			}),
		]);
	}

	/** Takes over the session; answers stay where they are about the review that is open still. */
	#open(session: LabelSession): void {
		const had = this.session;
		this.session = session;
		const fields = (s: LabelSession) => s.fields.map((f) => f.field).join();
		const same = had !== null && had.draw === session.draw && fields(had) === fields(session);
		if (!same || had.next?.reviewId !== session.next?.reviewId) this.#restart();
	}

	forget(): void {
		this.#query = null;
		this.#asked++;
		this.loading = false;
		this.#clear(true);
	}

	/** The session is the topic's, whatever the K. */
	#clear(session: boolean): void {
		this.report = this.reportError = null;
		this.certainties = this.certaintiesError = null;
		this.advice = this.adviceError = null;
		if (!session) return;
		this.session = this.sessionError = null;
		this.labelling = false;
		this.#restart();
	}

	#restart(): void {
		this.relevant = null;
		this.answers = [];
	}

	async #step(act: (query: TrustQuery) => ReturnType<Commands["goldUndo"]>): Promise<ApiError | null> {
		if (!this.query || this.busy) return null;
		this.busy = true;
		const r = await call(act(this.query));
		this.busy = false;
		if (!r.ok) return r.error;
		this.#steps++;
		this.session = r.data;
		// Another aggregator's results may rest on labels.
		app.judged++;
		this.#restart();
		return null;
	}

	draw(size: number): Promise<ApiError | null> {
		return this.#step((query) => backend().commands.goldDraw(query, size)).then((error) => {
			if (!error) this.labelling = true;
			return error;
		});
	}

	/** Answers the question that is asked now; the last one keeps the label. */
	async answer(place: number): Promise<ApiError | null> {
		if (!this.session?.next || this.busy) return null;
		if (this.relevant === null) {
			if (place !== 0 && place !== 1) return null;
			this.relevant = place === 0;
			return this.relevant && this.session.fields.length > 0 ? null : this.#keep();
		}
		const value = this.field?.values[place];
		return value ? this.#answered(value.id) : null;
	}

	/** Leaves the field open: the text does not tell. */
	skip(): Promise<ApiError | null> {
		return this.field ? this.#answered(null) : Promise.resolve(null);
	}

	async #answered(value: string | null): Promise<ApiError | null> {
		this.answers = [...this.answers, value];
		return this.answers.length < (this.session?.fields.length ?? 0) ? null : this.#keep();
	}

	#keep(): Promise<ApiError | null> {
		const { session, relevant, answers } = this;
		if (!session?.next || session.draw === null || relevant === null) return Promise.resolve(null);
		const values = session.fields.flatMap((f, i): LabelledField[] => {
			const value = answers[i] ?? null;
			return value === null ? [] : [{ field: f.field, value }];
		});
		const { draw, next } = session;
		return this.#step((query) =>
			backend().commands.goldLabel({ query, draw, reviewId: next.reviewId, relevant, values: relevant ? values : [] }),
		).then((error) => {
			// What was answered is still there; the last answer is asked for once more, and with it all are kept.
			if (error && this.answers.length > 0) this.answers = this.answers.slice(0, -1);
			else if (error) this.relevant = null;
			return error;
		});
	}

	/** Back one answer; before the first, back to the review labelled last. */
	async undo(): Promise<ApiError | null> {
		if (this.answers.length > 0) this.answers = this.answers.slice(0, -1);
		else if (this.relevant !== null) this.relevant = null;
		else if ((this.session?.labelled ?? 0) > 0) return this.#step((query) => backend().commands.goldUndo(query));
		return null;
	}

	stop(): void {
		this.labelling = false;
		void this.load(this.query);
	}

	async choose(aggregator: AggregatorId): Promise<ApiError | null> {
		if (!this.query || this.busy) return null;
		this.busy = true;
		const r = await call(backend().commands.aggregatorChoose(this.query, aggregator));
		this.busy = false;
		if (!r.ok) return r.error;
		app.judged++;
		await this.load(this.query);
		return null;
	}
}

export const trust = new Trust();
