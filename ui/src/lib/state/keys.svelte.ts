// What keys mean in the page that is open. A page claims its handlers while it is on screen.

interface PageKeys {
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

/** What the keyboard of this computer calls the key that commands are given with. */
export const control = /Mac/.test(navigator.platform) ? "⌘" : "Ctrl";

/** Takes no text and no arrows. */
const pressed = ["checkbox", "button", "submit", "reset", "color", "file", "image"];
/** Takes arrows and their like, but no text. */
const stepped = ["radio", "range"];
const steps = /^(Arrow|Home$|End$|Page)/;

/** The event's target is a field, whatever it takes. */
export function onField(e: KeyboardEvent): HTMLElement | null {
	const t = e.target as HTMLElement | null;
	return t?.closest?.<HTMLElement>("input, textarea, select, [contenteditable]") ?? null;
}

/** The event's target takes this key itself: text, or what moves a slider or a choice. */
export function inField(e: KeyboardEvent): boolean {
	const field = onField(e);
	if (!(field instanceof HTMLInputElement)) return field !== null;
	if (pressed.includes(field.type)) return false;
	return !stepped.includes(field.type) || steps.test(e.key);
}
