// Verdicts of one topic at one K, and how the table shows them.

import { type ApiError, backend, call, type ResultsOverview, type ResultsQuery, type ResultsRow } from "../backend";
import { type Filters, filterRows, noFilters, type Sort, sortRows } from "../results";
import { app } from "./app.svelte";
import { selection } from "./route.svelte";

const sameQuery = (a: ResultsQuery, b: ResultsQuery): boolean =>
	(["dataset", "topic", "k", "compareK"] as const).every((key) => a[key] === b[key]);

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
		return !!shown && !!wanted && !sameQuery(shown, wanted);
	});
	policies = $derived(this.data?.policies.map((p) => p.summary) ?? []);
	sorting = $derived<Sort>(this.sort ?? { key: "policy", policy: Math.max(0, this.policies.length - 1), down: true });
	/** Where rows stood before the votes arrived that are shown now; `null`: they stand as they are sorted. */
	#places = $state.raw<ReadonlyMap<string, number> | null>(null);
	#inOrder = $derived(this.data ? sortRows(this.data.rows, this.policies, this.sorting) : []);
	sorted = $derived.by(() => {
		const places = this.#places;
		const place = (r: ResultsRow) => places?.get(r.business) ?? Number.POSITIVE_INFINITY;
		return places ? [...this.#inOrder].sort((a, b) => place(a) - place(b) || 0) : this.#inOrder;
	});
	/** Rows whose verdicts would stand elsewhere by now. */
	outOfOrder = $derived(this.#places !== null && this.sorted.some((r, at) => r !== this.#inOrder[at]));
	rows = $derived(filterRows(this.sorted, this.filters));

	#running = false;
	/** Counts questions: the same one may be asked again, of more votes. */
	#asked = 0;
	#latest: ResultsQuery | null = null;
	/** Nobody has looked at the rows since the page was opened. */
	#entering = false;
	/** The votes and corrections that `data` is of. */
	#of: unknown[] = [];

	/** The page opens: what is there stays if nothing has changed, and begins in its order. */
	async enter(): Promise<void> {
		this.sortAgain();
		this.#entering = true;
		if (this.data && !this.stale && !this.loading && this.#isOf(app.topics, app.judged)) {
			this.#entering = false;
			return;
		}
		await this.load(this.query);
	}

	#isOf(...now: unknown[]): boolean {
		return now.every((part, i) => part === this.#of[i]);
	}

	async load(query: ResultsQuery | null): Promise<void> {
		this.#latest = query;
		this.#asked++;
		if (!query || this.#running) return;
		this.#running = true;
		this.loading = true;
		let asked = 0;
		while (this.#latest && asked !== this.#asked) {
			asked = this.#asked;
			const wanted = this.#latest;
			const of = [app.topics, app.judged];
			const r = await call(backend().commands.resultsOverview(wanted));
			if (asked !== this.#asked) continue;
			if (r.ok) this.#show(r.data, wanted, of);
			else {
				this.data = null;
				this.error = r.error;
			}
		}
		this.#running = false;
		this.loading = false;
	}

	#show(data: ResultsOverview, query: ResultsQuery, of: unknown[]): void {
		const had = this.data?.query;
		const same = had !== undefined && sameQuery(had, query);
		// Votes that arrived change figures in place. Rows that moved while one reads would be read twice or not at all.
		this.#places = same && !this.#entering ? new Map(this.sorted.map((r, at) => [r.business, at])) : null;
		if (had && (had.topic !== query.topic || had.dataset !== query.dataset)) {
			this.filters = noFilters;
			this.sort = null;
		}
		// Without a comparison nothing has moved, and the filter for it is not on screen.
		if (query.compareK === null && this.filters.moved) this.setFilters({ moved: false });
		this.#entering = false;
		this.data = data;
		this.#of = of;
		this.error = null;
	}

	sortAgain(): void {
		this.#places = null;
	}

	forget(): void {
		this.#latest = null;
		this.#asked++;
		this.#places = null;
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
		this.sortAgain();
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
