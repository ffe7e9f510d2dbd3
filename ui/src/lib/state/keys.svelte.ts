// What keys mean in the page that is open. A page claims its handlers while it is on screen.

export interface PageKeys {
	/** Ctrl ↵ */
	primary?: () => void;
	/** Ctrl F and /; true: the search is on its way, though nothing has the focus yet. */
	find?: () => unknown;
	/** J K ↑ ↓ */
	move?: (by: number) => void;
	/** ↵ */
	open?: () => void;
	/** Esc */
	back?: () => void;
	/** [ and ] */
	stepK?: (direction: 1 | -1) => void;
	/** C */
	compare?: () => void;
	/** Ctrl Z; false: nothing of this page to take back, so the last removal is. */
	undo?: () => boolean;
	/** Single letters and digits of this page; they come before those of the frame. */
	letters?: Record<string, () => void>;
	/** Ctrl E */
	export?: () => void;
}

class Keys {
	page: PageKeys = {};
	/** How to look through the dialogs that are open, the topmost last; `null` where one has a search of its own. */
	#dialogs: ((() => void) | null)[] = [];

	/** Called by a dialog while it is on screen. */
	dialog(find: (() => void) | null): () => void {
		this.#dialogs = [...this.#dialogs, find];
		return () => {
			this.#dialogs = this.#dialogs.filter((d) => d !== find);
		};
	}

	findInDialog(): void {
		this.#dialogs.at(-1)?.();
	}

	claim(page: PageKeys): () => void {
		this.page = page;
		return () => {
			if (this.page === page) this.page = {};
		};
	}
}

export const keys = new Keys();

/** The event's target takes text or arrows itself. */
export function inField(e: KeyboardEvent): boolean {
	const t = e.target as HTMLElement | null;
	return !!t?.closest?.("input, textarea, select, [contenteditable]");
}
