// Verdicts of one topic at one K, and how the table shows them.

import { type ApiError, backend, call, type ResultsOverview, type ResultsQuery } from "../backend";
import { type Filters, filterRows, noFilters, type Sort, sortRows } from "../results";
import { selection } from "./route.svelte";

class Results {
	data = $state.raw<ResultsOverview | null>(null);
	error = $state.raw<ApiError | null>(null);
	/** Bars of grey appear only after this has been true for a moment. */
	loading = $state(false);
	/** Which view of the verdicts is open. */
	look = $state<"verdicts" | "compare" | "charts">("verdicts");
	filters = $state.raw<Filters>(noFilters);
	sort = $state.raw<Sort | null>(null);
	/** The row that keys act on, by business. */
	selected = $state<string | null>(null);
	/** How far the table was scrolled, and in which order and choice of rows: one comes back to the same place. */
	scrolled = { order: "", top: 0 };

	query = $derived.by((): ResultsQuery | null => {
		const { dataset, topic, k, compare, compareK } = selection;
		return dataset && topic ? { dataset, topic, k, compareK: compare ? compareK : null } : null;
	});
	/** What is shown answers another question than the page asks now. */
	stale = $derived.by(() => {
		const [shown, wanted] = [this.data?.query, this.query];
		if (!shown || !wanted) return false;
		return (["dataset", "topic", "k", "compareK"] as const).some((key) => shown[key] !== wanted[key]);
	});
	policies = $derived(this.data?.policies.map((p) => p.summary) ?? []);
	sorting = $derived<Sort>(this.sort ?? { key: "policy", policy: Math.max(0, this.policies.length - 1), down: true });
	sorted = $derived(this.data ? sortRows(this.data.rows, this.policies, this.sorting) : []);
	rows = $derived(filterRows(this.sorted, this.filters));

	#running = false;
	#latest: ResultsQuery | null = null;

	async load(query: ResultsQuery | null): Promise<void> {
		this.#latest = query;
		if (!query || this.#running) return;
		this.#running = true;
		this.loading = true;
		let asked: ResultsQuery | null = null;
		while (this.#latest && this.#latest !== asked) {
			asked = this.#latest;
			const r = await call(backend().commands.resultsOverview(asked));
			if (asked !== this.#latest) continue;
			if (r.ok) {
				if (this.data && (this.data.query.topic !== asked.topic || this.data.query.dataset !== asked.dataset)) {
					this.filters = noFilters;
					this.sort = null;
				}
				// Without a comparison nothing has moved, and the filter for it is not on screen.
				if (asked.compareK === null && this.filters.moved) this.setFilters({ moved: false });
				this.data = r.data;
				this.error = null;
			} else {
				this.data = null;
				this.error = r.error;
			}
		}
		this.#running = false;
		this.loading = false;
	}

	forget(): void {
		this.#latest = null;
		this.data = null;
		this.error = null;
		this.selected = null;
		this.filters = noFilters;
		this.sort = null;
		this.scrolled = { order: "", top: 0 };
	}

	setFilters(change: Partial<Filters>): void {
		this.filters = { ...this.filters, ...change };
	}

	/** A second click on a head turns the order round. */
	sortBy(key: Sort["key"], policy = 0): void {
		const now = this.sorting;
		const same = now.key === key && (key !== "policy" || now.policy === policy);
		this.sort = { key, policy, down: same ? !now.down : key !== "name" };
	}

	move(by: number): number {
		const at = this.rows.findIndex((r) => r.business === this.selected);
		const next = at < 0 ? 0 : Math.min(this.rows.length - 1, Math.max(0, at + by));
		this.selected = this.rows[next]?.business ?? null;
		return next;
	}
}

export const results = new Results();
