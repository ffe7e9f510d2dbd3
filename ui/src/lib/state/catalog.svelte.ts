// The catalog and what a person is changing in it. Edits are tried as they are typed, and stay until saved or discarded: quitting keeps them.

import {
	type ApiError,
	backend,
	type CatalogChange,
	type CatalogCheck,
	type CatalogFile,
	type CatalogImpact,
	type CatalogOverview,
	type CatalogText,
	call,
	type Outcome,
} from "../backend";
import { counted } from "../format";
import { app } from "./app.svelte";
import { selection } from "./route.svelte";
import { toasts } from "./toasts.svelte";
import { undo } from "./undo.svelte";

/** Typing goes on; the trial waits until it pauses. */
const pauseMs = 120;

/** What a set of edits would do, as far as it is known. */
export interface Trial {
	changes: CatalogChange[];
	check: CatalogCheck;
	/** `null`: not worked out, because of errors or without a dataset. */
	impact: CatalogImpact | null;
}

export async function tryChanges(changes: CatalogChange[]): Promise<Outcome<Trial>> {
	const check = await call(backend().commands.catalogTry(changes));
	if (!check.ok) return check;
	const votes = check.data.topics.some((t) => t.kind === "terms" || t.kind === "removed");
	if (check.data.errors > 0 || !selection.dataset || !votes)
		return { ok: true, data: { changes, check: check.data, impact: null } };
	const impact = await call(backend().commands.catalogImpact(selection.dataset, changes));
	return impact.ok ? { ok: true, data: { changes, check: check.data, impact: impact.data } } : impact;
}

class CatalogPage {
	overview = $state.raw<CatalogOverview | null>(null);
	/** Files that were opened, as they are in force. */
	texts = $state.raw<Record<string, CatalogText>>({});
	drafts = $state.raw<Record<string, string>>({});
	trial = $state.raw<Trial | null>(null);
	/** The trial shown is that of earlier words. */
	trying = $state(false);
	error = $state.raw<ApiError | null>(null);
	busy = $state(false);

	changes = $derived<CatalogChange[]>(Object.entries(this.drafts).map(([path, text]) => ({ path, text })));
	files = $derived(this.overview?.files ?? []);
	yours = $derived(this.files.filter((f) => f.yours));
	problems = $derived(this.trial?.check.problems ?? this.overview?.problems ?? []);
	canSave = $derived(
		this.changes.length > 0 && !this.busy && !this.trying && this.trial !== null && this.trial.check.errors === 0,
	);

	#timer: ReturnType<typeof setTimeout> | null = null;
	#asked = 0;
	#readDrafts = false;
	#keeping: Promise<void> = Promise.resolve();

	fileOf = (path: string): CatalogFile | null => this.files.find((f) => f.path === path) ?? null;
	policyFile = (topic: string, variant: string): CatalogFile | null =>
		this.files.find((f) => f.topic === topic && f.variant === variant) ?? null;
	libraryFile = (domain: string): CatalogFile | null => this.files.find((f) => f.domain === domain) ?? null;
	textOf = (path: string): string | null => this.drafts[path] ?? this.texts[path]?.text ?? null;

	async load(): Promise<void> {
		this.#take(await call(backend().commands.catalogOverview()));
		if (!this.#readDrafts) await this.#takeUpDrafts();
	}

	/** What was typed before Quorum was quit. */
	async #takeUpDrafts(): Promise<void> {
		const r = await call(backend().commands.catalogDrafts());
		if (!r.ok) {
			this.error = r.error;
			return;
		}
		this.#readDrafts = true;
		const kept = r.data.flatMap((d) => (d.text === null ? [] : [[d.path, d.text]]));
		if (kept.length === 0) return;
		this.drafts = { ...Object.fromEntries(kept), ...this.drafts };
		toasts.say("Edits from last time are here", `${kept.map(([path]) => path).join(", ")}: not saved yet.`);
		this.#trySoon();
	}

	/** One after the other: of two that are under way at once, the earlier words might be stored last. */
	#keepDrafts(): void {
		this.#keeping = this.#keeping.then(async () => {
			// Before those of last time were read, these would take their place.
			if (!this.#readDrafts) return;
			const r = await call(backend().commands.catalogDraftsKeep(this.changes));
			if (!r.ok) this.error = r.error;
		});
	}

	async openFile(path: string): Promise<void> {
		if (this.texts[path]) return;
		const r = await call(backend().commands.catalogText(path));
		if (r.ok) this.texts = { ...this.texts, [path]: r.data };
		else this.error = r.error;
	}

	edit(path: string, text: string): void {
		const { [path]: _, ...others } = this.drafts;
		this.drafts = text === this.texts[path]?.text ? others : { ...others, [path]: text };
		this.#trySoon();
	}

	/** Lets go of what was typed into a file. */
	discard(path: string): void {
		const { [path]: draft, ...others } = this.drafts;
		if (draft === undefined) return;
		this.drafts = others;
		this.#trySoon();
		undo.offer({
			title: `Edits of ${path} discarded`,
			back: async () => {
				this.drafts = { ...this.drafts, [path]: draft };
				this.#trySoon();
				return null;
			},
		});
	}

	#trySoon(): void {
		if (this.#timer) clearTimeout(this.#timer);
		this.#timer = null;
		const asked = ++this.#asked;
		if (this.changes.length === 0) {
			this.trial = null;
			this.trying = false;
			this.#keepDrafts();
			return;
		}
		this.trying = true;
		this.#timer = setTimeout(async () => {
			this.#keepDrafts();
			const r = await tryChanges(this.changes);
			// Words typed meanwhile have a trial of their own coming.
			if (asked !== this.#asked) return;
			this.trying = false;
			if (r.ok) {
				this.trial = r.data;
				this.error = null;
			} else {
				this.trial = null;
				this.error = r.error;
			}
		}, pauseMs);
	}

	/** Saves these changes together, and offers the way back; drafts of other files stay. */
	async save(changes: CatalogChange[], said: string, body?: string): Promise<boolean> {
		if (this.busy) return false;
		this.busy = true;
		const before = await this.#inForce(changes);
		const r = before.ok ? await call(backend().commands.catalogSave(changes)) : before;
		this.busy = false;
		if (!before.ok || !r.ok) {
			this.error = r.ok ? null : r.error;
			return false;
		}
		await this.#saved(r.data, changes);
		undo.offer({ title: said, back: () => this.#saveBack(before.data) }, body);
		return true;
	}

	/** What the user's files say that these changes are about; `null` where there is none. */
	async #inForce(changes: CatalogChange[]): Promise<Outcome<CatalogChange[]>> {
		const before: CatalogChange[] = [];
		for (const { path } of changes) {
			if (!this.fileOf(path)?.yours) before.push({ path, text: null });
			else {
				const r = await call(backend().commands.catalogText(path));
				if (!r.ok) return r;
				before.push({ path, text: r.data.text });
			}
		}
		return { ok: true, data: before };
	}

	async #saveBack(changes: CatalogChange[]): Promise<ApiError | null> {
		const r = await call(backend().commands.catalogSave(changes));
		if (!r.ok) return r.error;
		await this.#saved(r.data, changes);
		return null;
	}

	async #saved(overview: CatalogOverview, changes: CatalogChange[]): Promise<void> {
		this.overview = overview;
		this.error = null;
		const saved = new Set(changes.map((c) => c.path));
		this.drafts = Object.fromEntries(Object.entries(this.drafts).filter(([path]) => !saved.has(path)));
		await this.#changed();
	}

	async addFolder(dir: string): Promise<boolean> {
		this.busy = true;
		const before = this.yours.length;
		const r = await call(backend().commands.catalogAdd(dir));
		this.busy = false;
		if (!this.#take(r)) return false;
		await this.#changed();
		const n = this.yours.length - before;
		toasts.say("Folder added", `${counted(n, "file")} more ${n === 1 ? "is" : "are"} yours now.`);
		return true;
	}

	/** What stands in the files is no longer what was read of them. */
	async #changed(): Promise<void> {
		const open = Object.keys(this.texts).filter((path) => this.fileOf(path));
		this.texts = {};
		await Promise.all(open.map((path) => this.openFile(path)));
		this.#trySoon();
		await app.loadTopics();
	}

	#take(r: Outcome<CatalogOverview>): boolean {
		if (r.ok) this.overview = r.data;
		this.error = r.ok ? null : r.error;
		return r.ok;
	}

	/** For tests: as if the window had just opened. */
	forget(): void {
		this.overview = null;
		this.texts = {};
		this.drafts = {};
		this.#readDrafts = false;
		this.error = null;
		this.#trySoon();
	}
}

export const catalog = new CatalogPage();
