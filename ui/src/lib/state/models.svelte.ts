// The model table of Settings: one field is saved at a time, and what the program refuses stays in its field with the reason.

import { type ApiError, backend, call, type ModelField, type ModelTable, type Outcome } from "../backend";
import { app } from "./app.svelte";

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

	async reset(model: string | null): Promise<void> {
		this.#take(await call(backend().commands.modelReset(model)));
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
