// What an error's button, the palette, a notification or a page may ask for, where it concerns more than one part of the state.

import { type ApiError, backend, call, type ProviderKind } from "../backend";
import type { ErrorAction } from "../errors";
import { app } from "./app.svelte";
import { importer } from "./importer.svelte";
import { route } from "./route.svelte";
import { runs } from "./runs.svelte";

export function act(go: ErrorAction["go"], run?: string | null): void {
	if (go === "import") importer.show();
	else if (go === "checkNow") void app.checkNow();
	else if (go === "runs") route.go({ page: "runs", run: run ?? undefined });
	else route.go({ page: go });
}

/** Another provider has other runs and votes: what the sandbox invents is never mixed with the rest. */
export async function useProvider(kind: ProviderKind, url: string | null): Promise<ApiError | null> {
	const command = kind === "sandbox" ? backend().commands.sandboxUse() : backend().commands.providerSet(kind, url);
	const error = app.take(await call(command));
	if (error) return error;
	await Promise.all([app.loadDatasets(), runs.load()]);
	return null;
}
