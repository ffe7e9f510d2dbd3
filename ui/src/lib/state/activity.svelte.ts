// What happened, newest first. New entries wait until the list is opened or asked for.

import { type Activity, type ApiError, backend, call } from "../backend";
import { app } from "./app.svelte";

const entriesMax = 500;

class ActivityLog {
	list = $state.raw<Activity[] | null>(null);
	waiting = $state.raw<Activity[]>([]);
	error = $state.raw<ApiError | null>(null);

	async load(): Promise<void> {
		const r = await call(backend().commands.activityList(entriesMax));
		if (!r.ok) {
			this.error = r.error;
			return;
		}
		this.error = null;
		this.list = r.data;
		this.waiting = [];
		const newest = r.data[0];
		if (newest && r.data.some((a) => !a.seen)) app.take(await call(backend().commands.activitySeen(newest.activity)));
	}

	heard(entry: Activity): void {
		if (this.list) this.waiting = [entry, ...this.waiting];
		app.refreshSoon();
	}
}

export const activityLog = new ActivityLog();
