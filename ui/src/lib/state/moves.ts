// Moves of What-if by policy and dataset, so that looking at another one loses none.

import type { WhatIfQuery } from "../backend";

export type Values = ReadonlyMap<string, number>;

/** Values that differ from the policy's, and those before each move. */
export interface Moves {
	values: Values;
	past: Values[];
}

interface Kept extends Moves {
	/** The K that `values` and `past` were made at. */
	k: number;
	/** Thresholds and counts can differ by K: these belong to the K at which they were moved. */
	byK: Map<number, Values>;
}

const isOfK = (knob: string): boolean => /^(threshold|count)/.test(knob);
const only = (values: Values, wanted: (knob: string) => boolean): Values =>
	new Map([...values].filter(([knob]) => wanted(knob)));
const equal = (a: Values, b: Values): boolean => a.size === b.size && [...a].every(([knob, v]) => b.get(knob) === v);

export class MovesByPolicy {
	#kept = new Map<string, Kept>();

	#key = ({ dataset, topic, policy }: WhatIfQuery): string => JSON.stringify([dataset, topic, policy]);

	keep(query: WhatIfQuery, values: Values, past: Values[]): void {
		const byK = this.#kept.get(this.#key(query))?.byK ?? new Map<number, Values>();
		byK.set(query.k, only(values, isOfK));
		this.#kept.set(this.#key(query), { values, past: [...past], k: query.k, byK });
	}

	/** What was moved there. From another K come the moves that mean the same at this one, and those that were made at this one before. */
	of(query: WhatIfQuery): Moves {
		const kept = this.#kept.get(this.#key(query));
		if (!kept) return { values: new Map(), past: [] };
		if (kept.k === query.k) return { values: kept.values, past: [...kept.past] };
		const here = kept.byK.get(query.k) ?? new Map();
		const at = (values: Values): Values => new Map([...only(values, (knob) => !isOfK(knob)), ...here]);
		const values = at(kept.values);
		const past = [...kept.past.map(at), values].filter((v, i, all) => i === 0 || !equal(v, all[i - 1]!));
		return { values, past: past.slice(0, -1) };
	}

	forget(): void {
		this.#kept.clear();
	}
}
