// One import at a time: by dialog, by dropping a file on the window, or by a typed path.

import { tick } from "svelte";
import { type ApiError, backend, call, chosen, type ImportProgress, type ImportReport } from "../backend";
import { app } from "./app.svelte";
import { selection } from "./route.svelte";

class Importer {
	/** The import dialog is open. */
	open = $state(false);
	path = $state("");
	name = $state("");
	running = $state(false);
	progress = $state.raw<ImportProgress | null>(null);
	report = $state.raw<ImportReport | null>(null);
	error = $state.raw<ApiError | null>(null);

	/** Import forms on screen; they share this state, so there is never more than one. */
	#forms = 0;

	/** Called by a form while it is on screen. */
	shown(): () => void {
		this.#forms++;
		return () => {
			this.#forms--;
		};
	}

	/** Opens the dialog, unless the page has a form of its own. */
	show(): void {
		if (this.#forms === 0) this.open = true;
	}

	async choose(): Promise<void> {
		const picked = await chosen(backend().pickFile());
		if (!picked.ok) this.error = picked.error;
		if (!picked.ok || !picked.data) return;
		this.path = picked.data;
		await this.start();
	}

	async start(): Promise<void> {
		const path = this.path.trim();
		if (!path) {
			this.error = {
				code: "invalidInput",
				message: "Type the path of a JSON Lines file, or choose one.",
				detail: null,
				safe: null,
				action: null,
			};
			return;
		}
		await this.#run(() => backend().commands.datasetImport(path, this.name.trim() || null));
	}

	sample = (): Promise<void> => this.#run(() => backend().commands.datasetImportSample(), true);

	async #run(command: () => Parameters<typeof call<ImportReport>>[0], quiet = false): Promise<void> {
		if (this.running) return;
		this.running = true;
		this.report = null;
		this.error = null;
		this.progress = null;
		const r = await call(command());
		this.running = false;
		this.progress = null;
		if (!r.ok) {
			this.error = r.error;
			return;
		}
		this.report = r.data;
		selection.dataset = r.data.dataset.dataset;
		selection.topic = null;
		await app.loadDatasets();
		await app.refresh();
		// The form that began it may be gone with the empty state it belonged to; the report is not.
		await tick();
		if (!quiet && this.report) this.show();
	}

	heard(progress: ImportProgress): void {
		if (this.running) this.progress = progress;
	}

	clear(): void {
		this.path = "";
		this.name = "";
		this.report = null;
		this.error = null;
	}
}

export const importer = new Importer();
