// The New extraction form and the estimate that follows it.

import {
	type ApiError,
	backend,
	call,
	type EnsembleMember,
	type Estimate,
	type Mode,
	type PlanRequest,
	type TopicSummary,
} from "../backend";
import { app } from "./app.svelte";
import { selection } from "./route.svelte";

export const customPreset = "Custom";

class Extraction {
	topics = $state<string[]>([]);
	search = $state("");
	k = $state(25);
	/** What the free K field holds; it counts while `other` is on. */
	typedK = $state("");
	other = $state(false);
	preset = $state("");
	members = $state<EnsembleMember[]>([]);
	mode = $state<Mode>("batch");
	/** Models that are new to a topic are tried with a few requests first. */
	canary = $state(true);

	estimate = $state.raw<Estimate | null>(null);
	error = $state.raw<ApiError | null>(null);
	/** The figures shown are those of an earlier form. */
	counting = $state(false);

	kValid = $derived(!this.other || (/^\d{1,6}$/.test(this.typedK.trim()) && Number(this.typedK) >= 1));
	chosenK = $derived(this.other ? Number(this.typedK) : this.k);
	votesPerReview = $derived(this.members.reduce((a, m) => a + m.runs, 0));

	request = $derived.by((): PlanRequest | null => {
		const dataset = selection.dataset;
		if (!dataset || this.topics.length === 0 || !this.kValid || this.members.length === 0) return null;
		return {
			dataset,
			topics: [...this.topics],
			k: this.chosenK,
			ensemble: this.members.map((m) => ({ ...m })),
			mode: this.mode,
			...(this.canary ? {} : { canary: false }),
		};
	});

	overBudgetUsd = $derived.by(() => {
		const left = app.budgetLeftUsd;
		if (left === null || app.sandbox || !this.estimate) return 0;
		return Math.max(0, this.estimate.usd - Math.max(0, left));
	});

	#running = false;
	/** Counts questions: the same form may be asked again, of more votes. */
	#asked = 0;
	#latest: PlanRequest | null = null;
	/** The form that the estimate is of. */
	#counted: PlanRequest | null = null;
	/** The person has chosen among the topics; none is a choice too. */
	#chosen = false;

	/** Fills what the user has not chosen yet. */
	begin(): void {
		const preset = app.models?.ensembles[0];
		if (this.members.length === 0 && preset) this.usePreset(preset.name);
		const modes = app.models?.modes ?? [];
		if (!modes.includes(this.mode) && modes[0]) this.mode = modes[0];
		const known = new Set(app.topics.map((t) => t.topic));
		// The same choice stays the same question: what is on screen need not be counted as if it were another.
		if (this.topics.some((t) => !known.has(t))) this.topics = this.topics.filter((t) => known.has(t));
		const first = app.topics.find((t) => !t.coverage?.completeK) ?? app.topics[0];
		if (this.topics.length === 0 && first && !this.#chosen) this.topics = [first.topic];
	}

	/** For tests: as if the window had just opened. */
	forget(): void {
		this.topics = [];
		this.members = [];
		this.other = false;
		this.#chosen = false;
	}

	usePreset(name: string): void {
		this.preset = name;
		const preset = app.models?.ensembles.find((e) => e.name === name);
		if (preset) this.members = preset.members.map((m) => ({ ...m }));
	}

	change(model: string, change: Partial<EnsembleMember>): void {
		this.members = this.members.map((m) => (m.model === model ? { ...m, ...change } : m));
		this.preset = customPreset;
	}

	/** Another model for what is missing; what the earlier one has answered counts in its place. */
	replace(old: string, model: string): void {
		this.members = this.members.map((m) => {
			if (m.model !== old) return m;
			const replaces = [old, ...(m.replaces ?? []).filter((r) => r !== model)];
			return { ...m, model, replaces };
		});
		this.preset = customPreset;
	}

	/** Takes a replacement back. */
	restore(model: string): void {
		this.members = this.members.map((m) => {
			const [before, ...earlier] = m.replaces ?? [];
			return m.model === model && before ? { ...m, model: before, replaces: earlier } : m;
		});
	}

	add(model: string): void {
		this.members = [...this.members, { model, runs: 1, weight: 1 }];
		this.preset = customPreset;
	}

	remove(model: string): void {
		this.members = this.members.filter((m) => m.model !== model);
		this.preset = customPreset;
	}

	toggle(topic: string): void {
		const on = this.topics.includes(topic);
		this.#chosen = true;
		// In the catalog's order, whatever the order of clicks: the same choice is the same plan.
		this.topics = app.topics.map((t) => t.topic).filter((t) => (t === topic ? !on : this.topics.includes(t)));
	}

	/** Asks for the estimate; while one is being counted only the newest question waits. Quietly, the figures of the very same form
	 * change in place: a button that goes grey under the pointer each time that votes arrive helps nobody. */
	async count(request: PlanRequest | null, quietly = false): Promise<void> {
		this.#latest = request;
		this.#asked++;
		if (!request) {
			this.estimate = null;
			this.error = null;
			this.counting = false;
			return;
		}
		if (!quietly || request !== this.#counted) this.counting = true;
		if (this.#running) return;
		this.#running = true;
		let asked = 0;
		while (this.#latest && asked !== this.#asked) {
			asked = this.#asked;
			const wanted = this.#latest;
			const r = await call(backend().commands.planEstimate(wanted));
			if (asked !== this.#asked) continue;
			this.#counted = wanted;
			if (r.ok) {
				this.estimate = r.data;
				this.error = null;
			} else {
				this.estimate = null;
				this.error = r.error;
			}
		}
		this.#running = false;
		this.counting = false;
	}
}

export const extraction = new Extraction();

/** Topics whose name, id or questions hold every word of the search. */
export function searchTopics(topics: TopicSummary[], search: string): TopicSummary[] {
	const words = search.toLowerCase().split(/\s+/).filter(Boolean);
	if (words.length === 0) return topics;
	return topics.filter((t) => {
		const text = [
			t.name,
			t.topic,
			t.title,
			t.groupName,
			...t.fields.flatMap((f) => [f.question, ...f.values.map((v) => v.label)]),
		]
			.join(" ")
			.toLowerCase();
		return words.every((w) => text.includes(w));
	});
}
