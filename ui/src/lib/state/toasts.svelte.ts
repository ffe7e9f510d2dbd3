// Short messages that leave by themselves, and errors that have no place of their own, which stay until dismissed.

import type { ApiError } from "../backend/bindings";

interface Toast {
	id: number;
	title: string;
	body?: string;
	error?: ApiError;
	/** What can still be done about it. */
	action?: { label: string; run: () => void };
}

const shownMs = 6000;
const toastsMax = 3;

class Toasts {
	list = $state<Toast[]>([]);
	#next = 1;

	say(title: string, body?: string, action?: Toast["action"]): void {
		const id = this.#add({ title, body, action });
		setTimeout(() => this.dismiss(id), shownMs);
	}

	fail(error: ApiError): void {
		// The same failure again, such as a poll without network, takes the place of the former.
		this.list = this.list.filter((t) => t.error?.code !== error.code);
		this.#add({ title: "", error });
	}

	dismiss(id: number): void {
		this.list = this.list.filter((t) => t.id !== id);
	}

	#add(toast: Omit<Toast, "id">): number {
		const id = this.#next++;
		this.list = [...this.list.slice(1 - toastsMax), { ...toast, id }];
		return id;
	}
}

export const toasts = new Toasts();
