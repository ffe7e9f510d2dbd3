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
import { selection } from "./route.svelte";

class Trust {
	report = $state.raw<TrustReport | null>(null);
	certainties = $state.raw<VerdictCertainties | null>(null);
	advice = $state.raw<EnsembleAdvice | null>(null);
	session = $state.raw<LabelSession | null>(null);
	error = $state.raw<ApiError | null>(null);
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

	#asked: TrustQuery | null = null;

	/** Each part is shown as soon as it is known, and what is on screen stays until then, unless it is about something else. */
	async load(query: TrustQuery | null): Promise<void> {
		const had = this.#asked;
		if (had && !(query && (["dataset", "topic", "k"] as const).every((key) => had[key] === query[key]))) {
			const other = had.dataset !== query?.dataset || had.topic !== query.topic;
			this.#clear(other);
		}
		this.#asked = query;
		if (!query) return;
		this.loading = true;
		let failed: ApiError | null = null;
		const take = async <T>(asked: Parameters<typeof call<T>>[0], show: (data: T) => void): Promise<void> => {
			const r = await call(asked);
			if (this.#asked !== query) return;
			if (r.ok) show(r.data);
			else failed ??= r.error;
		};
		const commands = backend().commands;
		await Promise.all([
			take(commands.trustReport(query), (report) => {
				this.report = report;
			}),
			take(commands.labelSession(query), (session) => this.#open(session)),
			take(commands.verdictCertainties(query), (certainties) => {
				this.certainties = certainties;
			}),
			take(commands.ensembleAdvice(query), (advice) => {
				this.advice = advice;
			}),
		]);
		if (this.#asked !== query) return;
		this.loading = false;
		this.error = failed;
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
		this.#asked = null;
		this.loading = false;
		this.#clear(true);
	}

	/** The session is the topic's, whatever the K. */
	#clear(session: boolean): void {
		this.report = null;
		this.certainties = null;
		this.advice = null;
		this.error = null;
		if (!session) return;
		this.session = null;
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
		this.session = r.data;
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
			// What could not be kept is asked again from the start.
			if (error) this.#restart();
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
		await this.load(this.query);
		return null;
	}
}

export const trust = new Trust();
