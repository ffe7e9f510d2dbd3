// Two policies or two K side by side. What is compared stays while one looks at other pages.

import { type ApiError, backend, type CompareQuery, type Comparison, call } from "../backend";
import { selection } from "./route.svelte";

class Compare {
	/** Variants, such as V2: they mean the same in every topic. */
	before = $state({ variant: "V2", k: 0 });
	after = $state({ variant: "V3", k: 0 });
	data = $state.raw<Comparison | null>(null);
	error = $state.raw<ApiError | null>(null);
	loading = $state(false);

	#asked = 0;

	/** A side without a K of its own follows the page's. */
	query(policies: { policy: string; variant: string }[]): CompareQuery | null {
		const { dataset, topic, k } = selection;
		const side = (s: { variant: string; k: number }) => {
			const policy = policies.find((p) => p.variant === s.variant)?.policy;
			return policy ? { policy, k: s.k || k } : null;
		};
		const [before, after] = [side(this.before), side(this.after)];
		return dataset && topic && before && after ? { dataset, topic, before, after } : null;
	}

	async load(query: CompareQuery | null): Promise<void> {
		const asked = ++this.#asked;
		if (!query) return;
		this.loading = true;
		const r = await call(backend().commands.resultsCompare(query));
		if (asked !== this.#asked) return;
		this.loading = false;
		this.error = r.ok ? null : r.error;
		this.data = r.ok ? r.data : null;
	}

	forget(): void {
		this.#asked++;
		this.data = null;
		this.error = null;
		this.loading = false;
	}

	swap(): void {
		[this.before, this.after] = [this.after, this.before];
	}
}

export const compare = new Compare();
