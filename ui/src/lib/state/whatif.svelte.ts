// One policy with some of its numbers moved, and what comes of it.

import {
	type ApiError,
	backend,
	call,
	type KnobChange,
	type PolicyDraft,
	type WhatIfFlip,
	type WhatIfOutcome,
	type WhatIfPage,
	type WhatIfQuery,
} from "../backend";
import { keepPlaces, orderFlips } from "../whatif";
import { app } from "./app.svelte";
import { MovesByPolicy, type Values } from "./moves";
import { route, selection } from "./route.svelte";
import { toasts } from "./toasts.svelte";

const pastMax = 100;

/** Moves that were discarded, with what they were made on. */
interface SetAside {
	query: WhatIfQuery;
	values: Values;
}

class WhatIf {
	page = $state.raw<WhatIfPage | null>(null);
	outcome = $state.raw<WhatIfOutcome | null>(null);
	error = $state.raw<ApiError | null>(null);
	/** Values that differ from the policy's, by knob. */
	values = $state.raw<Values>(new Map());
	/** A handle or slider is held: rows keep their places. */
	held = $state(false);
	rows = $state.raw<WhatIfFlip[]>([]);
	/** The outcome is that of the present values. */
	current = $state(true);

	policy = $derived.by(() => {
		const policies = app.topics.find((t) => t.topic === selection.topic)?.policies ?? [];
		return policies.find((p) => p.variant === selection.variant) ?? policies.at(-1) ?? null;
	});
	query = $derived.by((): WhatIfQuery | null => {
		const { dataset, topic, k } = selection;
		const policy = this.policy?.policy;
		return dataset && topic && policy ? { dataset, topic, policy, k } : null;
	});
	changes = $derived.by((): KnobChange[] => [...this.values].map(([knob, value]) => ({ knob, value })));

	/** Counts questions: the same one may be asked again, of more votes. */
	#asked = 0;
	#past: Values[] = [];
	#moves = new MovesByPolicy();
	#trying = false;
	#stale = false;

	/** Sets up on the votes as they are, with what was moved on this policy before. */
	async open(query: WhatIfQuery | null): Promise<void> {
		const asked = ++this.#asked;
		if (!query) return;
		const r = await call(backend().commands.whatIfOpen(query));
		if (asked !== this.#asked) return;
		const again = this.#isOn(query);
		if (this.page) this.#moves.keep(this.page.query, this.values, this.#past);
		this.error = r.ok ? null : r.error;
		this.page = r.ok ? r.data : null;
		// A policy that was edited meanwhile may have lost a number.
		const known = ([knob]: [string, number]) => this.knob(knob) !== null;
		const { values, past } = this.#moves.of(query);
		this.values = new Map([...values].filter(known));
		this.#past = past.map((p) => new Map([...p].filter(known)));
		// What is on screen stays until what takes its place is known.
		const stays = again && this.values.size > 0;
		if (!stays) {
			this.outcome = r.ok ? r.data.outcome : null;
			this.rows = [];
		}
		if (this.values.size > 0) await this.#attempt();
	}

	knob(id: string) {
		return this.page?.knobs.find((k) => k.knob === id) ?? null;
	}

	value(id: string): number {
		return this.values.get(id) ?? this.knob(id)?.value ?? 0;
	}

	/** Begins a move that Undo takes back as a whole. */
	hold(): void {
		if (this.held) return;
		this.held = true;
		this.#remember();
	}

	release(): void {
		this.held = false;
		this.#sort();
	}

	move(id: string, value: number): void {
		const knob = this.knob(id);
		if (!knob || !Number.isFinite(value) || value === this.value(id)) return;
		if (!this.held) this.#remember();
		const values = new Map(this.values);
		if (value === knob.value) values.delete(id);
		else values.set(id, value);
		this.values = values;
		void this.#attempt();
	}

	reset(id: string): void {
		const knob = this.knob(id);
		if (knob) this.move(id, knob.value);
	}

	/** Back to the policy's own values. Returns what was set aside. */
	discard(): SetAside | null {
		const { query } = this.page ?? {};
		if (!query || this.values.size === 0) return null;
		const aside = { query, values: this.values };
		this.#remember();
		this.values = new Map();
		void this.#attempt();
		return aside;
	}

	/** Moves that were discarded apply again, on the page and policy that they belong to. */
	async bringBack({ query, values }: SetAside): Promise<ApiError | null> {
		if (!this.#isOn(query) || route.view.page !== "whatif") {
			const policies = app.topics.find((t) => t.topic === query.topic)?.policies ?? [];
			const variant = policies.find((p) => p.policy === query.policy)?.variant;
			if (variant) selection.variant = variant;
			selection.dataset = query.dataset;
			selection.topic = query.topic;
			selection.k = query.k;
			await this.open(query);
			if (!this.#isOn(query)) return this.error;
			route.go({ page: "whatif" });
		}
		this.#remember();
		this.values = values;
		await this.#attempt();
		return null;
	}

	#isOn(query: WhatIfQuery): boolean {
		const on = this.page?.query;
		return !!on && (["dataset", "topic", "policy", "k"] as const).every((key) => on[key] === query[key]);
	}

	/** Takes the last move back; false when there was none. */
	undo(): boolean {
		const past = this.#past.pop();
		if (!past) return false;
		this.values = past;
		void this.#attempt();
		return true;
	}

	/** Other votes, or another window of tests, begin without any. */
	forget(): void {
		this.#asked++;
		this.#past = [];
		this.#moves.forget();
		this.page = null;
		this.outcome = null;
		this.error = null;
		this.values = new Map();
		this.rows = [];
		this.held = false;
	}

	#remember(): void {
		if (this.#past.at(-1) === this.values) return;
		this.#past.push(this.values);
		if (this.#past.length > pastMax) this.#past.shift();
	}

	/** One question at a time; of those that come meanwhile only the latest is asked. */
	async #attempt(): Promise<void> {
		this.#stale = true;
		this.current = false;
		if (this.#trying) return;
		this.#trying = true;
		while (this.#stale && this.page) {
			this.#stale = false;
			const { query } = this.page;
			const r = await call(backend().commands.whatIfTry({ query, changes: this.changes }));
			if (this.page?.query !== query) continue;
			if (r.ok) {
				this.outcome = r.data;
				if (this.held) this.rows = keepPlaces(this.rows, r.data.flips);
				else this.#sort();
			} else toasts.fail(r.error);
		}
		this.#trying = false;
		this.current = true;
	}

	#sort(): void {
		if (this.page && this.outcome) this.rows = orderFlips(this.page.summary, this.outcome.flips);
	}

	async draft(name: string): Promise<{ draft: PolicyDraft | null; error: ApiError | null }> {
		if (!this.page) return { draft: null, error: null };
		const r = await call(backend().commands.whatIfDraft({ query: this.page.query, changes: this.changes }, name));
		return r.ok ? { draft: r.data, error: null } : { draft: null, error: r.error };
	}

	/** Saves it as a policy of one's own, and goes on with that one. */
	async save(name: string): Promise<ApiError | null> {
		if (!this.page) return null;
		const r = await call(backend().commands.whatIfSave({ query: this.page.query, changes: this.changes }, name));
		if (!r.ok) return r.error;
		this.values = new Map();
		await app.loadTopics();
		selection.variant = r.data.variant;
		toasts.say(
			`Saved as ${r.data.variant} ${name.trim()}`,
			`The original is unchanged. In the catalog: ${r.data.file}`,
		);
		return null;
	}
}

export const whatif = new WhatIf();
