// What an error's button, the palette, a notification or a page may ask for, where it concerns more than one part of the state.

import { type ApiError, backend, call, type ProviderKind } from "../backend";
import type { ErrorAction } from "../errors";
import { app } from "./app.svelte";
import { business } from "./business.svelte";
import { compare } from "./compare.svelte";
import { importer } from "./importer.svelte";
import { models } from "./models.svelte";
import { queue } from "./queue.svelte";
import { results } from "./results.svelte";
import { route } from "./route.svelte";
import { runs } from "./runs.svelte";
import { trust } from "./trust.svelte";
import { undo } from "./undo.svelte";
import { whatif } from "./whatif.svelte";

export function act(go: ErrorAction["go"], run?: string | null): void {
	if (go === "import") importer.show();
	else if (go === "checkNow") void app.checkNow();
	else if (go === "runs") route.go({ page: "runs", run: run ?? undefined });
	else route.go({ page: go });
}

/** What was read, decided and moved over the other's votes. An Undo of it would reach what is no longer shown. */
function forgetRealm(): void {
	results.forget();
	compare.forget();
	business.forget();
	queue.forget();
	trust.forget();
	whatif.forget();
	undo.forget();
}

/** Another provider has other runs and votes: what the sandbox invents is never mixed with the rest. */
export async function useProvider(kind: ProviderKind, url: string | null): Promise<ApiError | null> {
	const command = kind === "sandbox" ? backend().commands.sandboxUse() : backend().commands.providerSet(kind, url);
	const was = app.sandbox;
	const error = app.take(await call(command));
	if (error) return error;
	if (was !== app.sandbox) forgetRealm();
	// Prices, what is listed and what shuts down are told by each provider; choosing one is a setting too.
	await Promise.all([
		app.loadDatasets(),
		runs.load(),
		app.loadModels(),
		app.loadSettings(),
		models.table && models.load(),
	]);
	return null;
}
