// What happened, newest first. New entries wait until the list is opened or asked for.

import { type Activity, type ApiError, backend, call } from "../backend";
import { app } from "./app.svelte";

const entriesMax = 500;

class ActivityLog {
	list = $state.raw<Activity[] | null>(null);
	waiting = $state.raw<Activity[]>([]);
	error = $state.raw<ApiError | null>(null);

	#asked = 0;
	/** Heard since the list was asked for: a list that is on its way may not have it. */
	#heard: Activity[] = [];

	async load(): Promise<void> {
		const asked = ++this.#asked;
		this.#heard = [];
		const r = await call(backend().commands.activityList(entriesMax));
		if (asked !== this.#asked) return;
		if (!r.ok) {
			this.error = r.error;
			return;
		}
		this.error = null;
		this.list = r.data;
		this.waiting = this.#heard.filter((a) => !r.data.some((listed) => listed.activity === a.activity));
		const newest = r.data[0];
		if (newest && r.data.some((a) => !a.seen)) app.take(await call(backend().commands.activitySeen(newest.activity)));
	}

	heard(entry: Activity): void {
		this.#heard = [entry, ...this.#heard];
		if (this.list) this.waiting = [entry, ...this.waiting];
		app.refreshSoon();
	}
}

export const activityLog = new ActivityLog();
