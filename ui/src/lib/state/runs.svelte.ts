// All runs, and the one that is open. A change alters figures in place; order inside a group stays as it is.

import {
	type ApiError,
	backend,
	call,
	type FailureCause,
	type Outcome,
	type RunDetail,
	type RunState,
	type RunSummary,
} from "../backend";
import { app } from "./app.svelte";
import { clock } from "./clock.svelte";
import { toasts } from "./toasts.svelte";

export type RunGroup = "Live" | "Needs you" | "Finished";

export const groupOf: Record<RunState, RunGroup> = {
	waiting: "Live",
	running: "Live",
	cancelling: "Live",
	paused: "Needs you",
	needsYou: "Needs you",
	failed: "Needs you",
	done: "Finished",
	cancelled: "Finished",
};

class Runs {
	list = $state.raw<RunSummary[] | null>(null);
	detail = $state.raw<RunDetail | null>(null);
	/** When `detail` was true, in seconds since 1970. */
	detailAt = $state(0);
	error = $state.raw<ApiError | null>(null);
	/** Why the open run could not be read; figures that are shown meanwhile are those of `detailAt`. */
	detailError = $state.raw<ApiError | null>(null);
	busy = $state(false);

	groups = $derived.by(() => {
		const names: RunGroup[] = ["Live", "Needs you", "Finished"];
		return names
			.map((name) => ({ name, runs: (this.list ?? []).filter((r) => groupOf[r.state] === name) }))
			.filter((g) => g.runs.length > 0);
	});

	#open: string | null = null;
	#loading = false;
	#again = false;
	#asked = 0;
	/** What was heard since the list was asked for: a list that is on its way may not know it. */
	#heard = new Map<string, RunSummary>();

	async load(): Promise<void> {
		const asked = ++this.#asked;
		this.#heard.clear();
		const r = await call(backend().commands.runList());
		if (asked !== this.#asked) return;
		if (!r.ok) {
			this.error = r.error;
			return;
		}
		const known = new Set(r.data.map((run) => run.run));
		const unknown = [...this.#heard.values()].filter((run) => !known.has(run.run));
		this.list = [...unknown.reverse(), ...r.data.map((run) => this.#heard.get(run.run) ?? run)];
		this.error = null;
	}

	async open(run: string | null): Promise<void> {
		if (this.#open !== run) this.detail = this.detailError = null;
		this.#open = run;
		if (run) await this.#loadDetail();
	}

	async #loadDetail(): Promise<void> {
		if (this.#loading) {
			this.#again = true;
			return;
		}
		this.#loading = true;
		do {
			this.#again = false;
			const run = this.#open;
			if (!run) break;
			const r = await call(backend().commands.runDetail(run));
			if (run !== this.#open) this.#again = true;
			else if (r.ok) {
				this.detail = r.data;
				this.detailAt = Math.floor(Date.now() / 1000);
				this.detailError = null;
			} else this.detailError = r.error;
		} while (this.#again);
		this.#loading = false;
	}

	heard(run: RunSummary): void {
		const before = this.#heard.get(run.run) ?? this.list?.find((r) => r.run === run.run);
		const known = this.list?.some((r) => r.run === run.run);
		this.#heard.set(run.run, run);
		if (this.list) this.list = known ? this.list.map((r) => (r.run === run.run ? run : r)) : [run, ...this.list];
		if (run.run === this.#open) void this.#loadDetail();
		app.refreshSoon();
		// Votes were stored, or what was on its way is not any more: coverage, results and plans go by that.
		if (before?.ingested !== run.ingested || before.state !== run.state) app.loadTopicsSoon();
	}

	pause = (run: string): Promise<void> => this.#change(backend().commands.runPause(run));
	resume = (run: string): Promise<void> => this.#change(backend().commands.runResume(run));
	cancel = (run: string): Promise<void> => this.#change(backend().commands.runCancel(run));
	retry = (run: string, cause: FailureCause | null, model: string | null): Promise<void> =>
		this.#change(backend().commands.runRetry(run, cause, model));

	async #change(command: Parameters<typeof call<RunSummary>>[0]): Promise<void> {
		this.busy = true;
		const r: Outcome<RunSummary> = await call(command, "sends");
		this.busy = false;
		if (r.ok) this.heard(r.data);
		else toasts.fail(r.error);
	}
}

export const runs = new Runs();

/** The moment that a chart of a run calls now: what is shown was true then. */
export const runNow = (): number => Math.max(runs.detailAt, clock.minute);
