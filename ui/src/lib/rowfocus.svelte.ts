// A long table of which Tab reaches one row: the one that had the focus last, or the first in view. J, K and the arrows move it.

import { tick } from "svelte";
import { scrollTo } from "./virtual";

interface Rows {
	box: HTMLElement | undefined;
	count: number;
	rowHeight: number;
	headHeight: number;
	scrollTop: number;
	/** First row drawn, and the one after the last. */
	first: number;
	end: number;
}

export class RowFocus {
	#at = $state(0);
	#rows: () => Rows;

	constructor(rows: () => Rows) {
		this.#rows = rows;
	}

	/** The row that Tab reaches. */
	get stop(): number {
		const { first, end, scrollTop, rowHeight, count } = this.#rows();
		if (this.#at >= first && this.#at < end && this.#at < count) return this.#at;
		return Math.min(Math.ceil(scrollTop / rowHeight), count - 1);
	}

	/** A row got the focus. */
	took(row: number): void {
		this.#at = row;
	}

	/** Rows are counted by `aria-rowindex`, the head being 1; their first button takes the focus. */
	async move(by: number): Promise<void> {
		const { box, count, rowHeight, headHeight } = this.#rows();
		if (!box || count === 0) return;
		const inside = box.contains(document.activeElement);
		const next = inside ? this.#at + by : this.stop;
		this.#at = Math.min(count - 1, Math.max(0, next));
		box.scrollTop = scrollTo(this.#at, box.scrollTop, box.clientHeight, rowHeight, headHeight);
		box.dispatchEvent(new Event("scroll"));
		await tick();
		box.querySelector<HTMLElement>(`tr[aria-rowindex="${this.#at + 2}"] button`)?.focus({ preventScroll: true });
	}
}
