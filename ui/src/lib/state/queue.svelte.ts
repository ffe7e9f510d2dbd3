// The review queue of one topic at one K: which label is open, what was decided, and what that changed.

import {
	type ApiError,
	backend,
	call,
	type LabelDetail,
	type Outcome,
	type OverrideEntry,
	type QueueOrder,
	type QueueOutlook,
	type QueueQuery,
	type ReviewQueue,
} from "../backend";
import { hasWords } from "../find";
import { keyOf } from "../queue";
import { app } from "./app.svelte";
import { selection } from "./route.svelte";

export interface Decision {
	number: number;
	kept: boolean;
	value: string;
	flips: number;
}

interface Place {
	reviewId: string;
	field: string;
}

class Queue {
	data = $state.raw<ReviewQueue | null>(null);
	error = $state.raw<ApiError | null>(null);
	loading = $state(false);
	/** The open label; it need not be in the list, as any field of a review may be looked at. */
	place = $state.raw<Place | null>(null);
	label = $state.raw<LabelDetail | null>(null);
	labelError = $state.raw<ApiError | null>(null);
	/** A value other than the present one was chosen, and waits for its reason. */
	picked = $state<string | null>(null);
	reason = $state("");
	saving = $state(false);
	order = $state<QueueOrder>("verdicts");
	/** Whether another look is worth it, after what was decided; only of a queue by value. */
	outlook = $state.raw<QueueOutlook | null>(null);
	/** Decisions since the window opened, by label. A label that is decided keeps its place in the list. */
	decided = $state.raw<ReadonlyMap<string, Decision>>(new Map());

	query = $derived.by((): QueueQuery | null => {
		const { dataset, topic, k } = selection;
		return dataset && topic ? { dataset, topic, k, order: this.order } : null;
	});
	/** Narrows the list to businesses of this name. */
	find = $state("");
	all = $derived(this.data?.labels ?? []);
	labels = $derived(this.all.filter((l) => hasWords(l.businessName, this.find)));
	index = $derived(new Map(this.labels.map((l, at) => [keyOf(l), at])));
	at = $derived(this.place ? (this.index.get(keyOf(this.place)) ?? null) : null);
	/** The list is that of the dataset, topic and K that the pages are about. */
	current = $derived.by(() => {
		const [shown, wanted] = [this.data?.query, this.query];
		return !!shown && !!wanted && (["dataset", "topic", "k"] as const).every((key) => shown[key] === wanted[key]);
	});
	listed = $derived(this.all.filter((l) => this.decided.has(keyOf(l))).length);
	open = $derived(this.all.length - this.listed);
	tally = $derived.by(() => {
		const all = [...this.decided.values()];
		return {
			kept: all.filter((d) => d.kept).length,
			changed: all.filter((d) => !d.kept).length,
			flips: all.reduce((sum, d) => sum + d.flips, 0),
		};
	});
	decision = $derived(this.place ? (this.decided.get(keyOf(this.place)) ?? null) : null);

	/** The label on screen is the open one: while the next is read, nothing may be decided on the former. */
	ready = $derived.by(() => {
		const [shown, place, query] = [this.label?.query, this.place, this.query];
		if (!shown || !place || !query) return false;
		return (
			(["dataset", "topic", "k"] as const).every((key) => shown[key] === query[key]) && keyOf(shown) === keyOf(place)
		);
	});

	/** The list by the votes that have arrived, where it is another than the one that is shown. */
	arrived = $state.raw<ReviewQueue | null>(null);
	/** Labels of it that are not listed yet. */
	news = $derived.by(() => {
		const listed = new Set(this.all.map(keyOf));
		return this.arrived?.labels.filter((l) => !listed.has(keyOf(l))).length ?? 0;
	});

	/** Where the list was when a label outside of it was opened. */
	#last = 0;
	/** Counts questions: the same one may be asked again, of more votes. */
	#asked = 0;
	#looked = 0;
	/** What the list answers, or would if it could be read. */
	#shown: QueueQuery | null = null;
	#askedLabel = 0;
	#undoable: Place[] = [];

	/** A decision of this window can be taken back. */
	get undoable(): boolean {
		return this.#undoable.length > 0;
	}

	/** The list after votes have arrived: figures change in place, and what would move a label waits until it is asked for. */
	async follow(query: QueueQuery | null): Promise<void> {
		const listed = this.data?.query;
		const same =
			listed && query && (["dataset", "topic", "k", "order"] as const).every((key) => listed[key] === query[key]);
		if (!same || this.all.length === 0) return this.load(query);
		const asked = ++this.#asked;
		const r = await call(backend().commands.queueList(query));
		if (asked !== this.#asked) return;
		if (!r.ok) return this.#take(query, r);
		const now = new Map(r.data.labels.map((l) => [keyOf(l), l]));
		const moved =
			this.all.length !== r.data.labels.length || this.all.some((l, at) => keyOf(l) !== keyOf(r.data.labels[at] ?? l));
		this.arrived = moved ? r.data : null;
		this.data = { ...r.data, labels: this.all.map((l) => now.get(keyOf(l)) ?? l) };
		this.outlook = r.data.outlook;
		await this.#loadLabel();
	}

	/** Lists what has arrived, in the order that it has now. */
	showArrived(): Promise<void> {
		return this.load(this.query);
	}

	async load(query: QueueQuery | null): Promise<void> {
		const asked = ++this.#asked;
		if (!query) return;
		this.loading = true;
		const r = await call(backend().commands.queueList(query));
		if (asked === this.#asked) await this.#take(query, r);
	}

	async #take(query: QueueQuery, r: Outcome<ReviewQueue>): Promise<void> {
		this.loading = false;
		this.error = r.ok ? null : r.error;
		this.arrived = null;
		const had = this.#shown;
		if (!had || had.dataset !== query.dataset || had.topic !== query.topic) this.#clear();
		this.#shown = query;
		this.data = r.ok ? r.data : null;
		this.outlook = this.data?.outlook ?? null;
		// The label that was open is there again once the list can be read.
		if (!r.ok) return;
		// Another order begins at its top.
		if (had && had.order !== query.order) this.place = null;
		const first = this.labels.find((l) => !this.decided.has(keyOf(l))) ?? null;
		const stays = this.place && (this.index.has(keyOf(this.place)) || this.#begun);
		await this.show(stays ? this.place : first);
	}

	/** Something was chosen or typed for the open label. */
	get #begun(): boolean {
		return this.picked !== null || this.reason.trim() !== "";
	}

	/** The list stays as it is, so that labels keep their places; what is left to gain does not. */
	async #look(): Promise<void> {
		const query = this.query;
		if (query?.order !== "value") return;
		const asked = this.#asked;
		const looked = ++this.#looked;
		const r = await call(backend().commands.queueList(query));
		if (r.ok && asked === this.#asked && looked === this.#looked) this.outlook = r.data.outlook;
	}

	/** As if the window had just opened; what was decided stays in the trail. */
	forget(): void {
		this.#asked++;
		this.#askedLabel++;
		this.#shown = null;
		this.error = null;
		this.labelError = null;
		this.#clear();
	}

	/** Another topic has other labels. */
	#clear(): void {
		this.data = null;
		this.arrived = null;
		this.outlook = null;
		this.find = "";
		this.decided = new Map();
		this.#undoable = [];
		this.#last = 0;
		this.place = null;
		this.label = null;
		this.picked = null;
		this.reason = "";
	}

	/** Opens a label. What was chosen and typed stays where it is the one that is open already: votes that arrive read the list anew. */
	async show(place: Place | null): Promise<void> {
		if (!place || !this.place || keyOf(place) !== keyOf(this.place)) {
			this.picked = null;
			this.reason = "";
		}
		this.place = place ? { reviewId: place.reviewId, field: place.field } : null;
		if (this.at !== null) this.#last = this.at;
		await this.#loadLabel();
	}

	async #loadLabel(): Promise<void> {
		const { place, query } = this;
		const asked = ++this.#askedLabel;
		if (!place || !query) {
			this.label = null;
			return;
		}
		const { dataset, topic, k } = query;
		const r = await call(backend().commands.queueLabel({ dataset, topic, k, ...place }));
		if (asked !== this.#askedLabel) return;
		this.label = r.ok ? r.data : null;
		this.labelError = r.ok ? null : r.error;
		// The votes that arrived say what was to be chosen.
		if (r.ok && this.picked === r.data.value) this.picked = null;
	}

	move(by: number): void {
		const from = this.at ?? this.#last - (by > 0 ? 1 : 0);
		const next = this.labels[Math.min(this.labels.length - 1, Math.max(0, from + by))];
		if (next) void this.show(next);
	}

	/** The next label that nobody has decided: onward from here, then from the top. */
	async next(): Promise<void> {
		const from = (this.at ?? this.#last) + 1;
		const onward = [...this.labels.slice(from), ...this.labels.slice(0, from)];
		await this.show(onward.find((l) => !this.decided.has(keyOf(l))) ?? null);
	}

	/** The same review's next field, relevance last. */
	otherField(): void {
		const { label, place } = this;
		if (!label || !place || !this.ready) return;
		const fields = [...label.review.fields.map((f) => f.field.field), "is_relevant"];
		const field = fields[(fields.indexOf(place.field) + 1) % fields.length];
		if (field) void this.show({ reviewId: place.reviewId, field });
	}

	pick(value: string): void {
		if (this.decision || this.saving || !this.ready) return;
		this.picked = value === this.label?.value ? null : value;
	}

	keep(): Promise<ApiError | null> {
		const value = this.label?.value ?? null;
		return value === null ? Promise.resolve(null) : this.#decide(value, null);
	}

	change(): Promise<ApiError | null> {
		return this.picked === null || this.reason.trim() === ""
			? Promise.resolve(null)
			: this.#decide(this.picked, this.reason);
	}

	async #decide(value: string, reason: string | null): Promise<ApiError | null> {
		const { place, query } = this;
		if (!place || !query || this.saving || this.decision || !this.ready) return null;
		this.saving = true;
		const { dataset, topic, k } = query;
		const r = await call(backend().commands.overrideSet({ dataset, topic, k, ...place, value, reason }));
		this.saving = false;
		if (!r.ok) return r.error;
		const { number, kept, flips } = r.data;
		app.judged++;
		this.decided = new Map(this.decided).set(keyOf(place), { number, kept, value, flips: flips.length });
		this.#undoable.push(place);
		void this.#look();
		await this.next();
		return null;
	}

	/** Takes back the last decision, or this label's, and opens the label again. */
	async undo(place: Place | null = this.#undoable.at(-1) ?? null): Promise<ApiError | null> {
		const decision = place && this.decided.get(keyOf(place));
		if (!place || !decision || this.saving) return null;
		this.saving = true;
		const r = await call(backend().commands.overrideUndo(decision.number));
		this.saving = false;
		if (!r.ok) return r.error;
		app.judged++;
		this.#drop(decision.number);
		void this.#look();
		await this.show(place);
		return null;
	}

	#drop(number: number): void {
		this.decided = new Map([...this.decided].filter(([, d]) => d.number !== number));
		this.#undoable = this.#undoable.filter((p) => this.decided.has(keyOf(p)));
	}

	async trail(): Promise<{ entries: OverrideEntry[]; error: ApiError | null }> {
		if (!this.query) return { entries: [], error: null };
		const r = await call(backend().commands.overrideTrail(this.query.dataset, this.query.topic));
		return r.ok ? { entries: r.data, error: null } : { entries: [], error: r.error };
	}

	/** Takes back an entry of the trail. What it was about may come back into the list. */
	async undoEntry(number: number): Promise<ApiError | null> {
		const r = await call(backend().commands.overrideUndo(number));
		if (!r.ok) return r.error;
		app.judged++;
		this.#drop(number);
		await this.load(this.query);
		return null;
	}
}

export const queue = new Queue();
