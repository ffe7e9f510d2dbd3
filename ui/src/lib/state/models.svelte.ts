// The model table of Settings: one field is saved at a time, and what the program refuses stays in its field with the reason.

import {
	type ApiError,
	backend,
	call,
	type ModelEdit,
	type ModelField,
	type ModelTable,
	type ModelTaken,
	type Outcome,
} from "../backend";
import { app } from "./app.svelte";
import { undo } from "./undo.svelte";

class Models {
	table = $state.raw<ModelTable | null>(null);
	/** What concerns the whole table: it could not be read, reset, or the provider not asked. */
	error = $state.raw<ApiError | null>(null);
	asking = $state(false);

	async load(): Promise<void> {
		this.#take(await call(backend().commands.modelTable()));
	}

	/** Returns why a value was not taken. */
	async edit(model: string, field: ModelField, value: string): Promise<string | null> {
		const r = await call(backend().commands.modelEdit(model, field, value));
		if (!r.ok) return r.error.message;
		this.#take(r);
		return null;
	}

	/** A model that is not shipped. Returns why it was not taken. */
	async add(model: string, edits: ModelEdit[]): Promise<ApiError | null> {
		const r = await call(backend().commands.modelAdd(model, edits));
		if (!r.ok) return r.error;
		this.#take(r);
		return null;
	}

	/** Brings shipped values back, and offers those that they took the place of. */
	async reset(model: string | null): Promise<void> {
		const own = this.table?.models.find((m) => m.model === model)?.own;
		const r = await call(backend().commands.modelReset(model));
		this.#take(r.ok ? { ok: true, data: r.data.table } : r);
		if (!r.ok || r.data.taken.length === 0) return;
		const { taken } = r.data;
		const title = model === null ? "All models reset" : `${model} ${own ? "removed" : "reset"}`;
		undo.offer({ title, back: () => this.#restore(taken) }, "Estimates go by the shipped values again.");
	}

	async #restore(taken: ModelTaken[]): Promise<ApiError | null> {
		const r = await call(backend().commands.modelRestore(taken));
		if (!r.ok) return r.error;
		this.#take(r);
		return null;
	}

	async ask(): Promise<void> {
		this.asking = true;
		this.#take(await call(backend().commands.modelsAsk()));
		this.asking = false;
	}

	#take(outcome: Outcome<ModelTable>): void {
		this.error = outcome.ok ? null : outcome.error;
		if (!outcome.ok) return;
		this.table = outcome.data;
		// The form of a new extraction goes by the same table.
		void app.loadModels();
	}
}

export const models = new Models();
