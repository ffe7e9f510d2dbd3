// What was taken away last, and how it comes back: one act at a time, held until the next one or until it is undone.

import type { ApiError } from "../backend";
import { toasts } from "./toasts.svelte";

interface Removal {
	/** What happened, such as "Metro removed". */
	title: string;
	/** Brings it back, and says why it could not. */
	back: () => Promise<ApiError | null>;
}

class Undo {
	last = $state.raw<Removal | null>(null);
	busy = $state(false);

	/** Says what happened and offers the way back, in a message that leaves and in the status bar, which stays. */
	offer(removal: Removal, body?: string): void {
		this.last = removal;
		toasts.say(removal.title, body, { label: "Undo", run: () => void this.take(removal) });
	}

	/** Undoes the last act, or an earlier one whose message is still there. What cannot be brought back now can be tried again. */
	async take(removal: Removal | null = this.last): Promise<void> {
		if (!removal || this.busy) return;
		this.busy = true;
		const error = await removal.back();
		this.busy = false;
		if (error) {
			toasts.fail(error);
			return;
		}
		if (this.last === removal) this.last = null;
		toasts.say(`Undone: ${removal.title}`);
	}

	/** It was undone elsewhere; without a title: whatever it was. */
	forget(title: string | null = null): void {
		if (title === null || this.last?.title === title) this.last = null;
	}
}

export const undo = new Undo();
