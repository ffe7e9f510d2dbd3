// What an error's button, the palette or a notification may ask for.

import type { ErrorAction } from "../errors";
import { app } from "./app.svelte";
import { importer } from "./importer.svelte";
import { route } from "./route.svelte";

export function act(go: ErrorAction["go"], run?: string | null): void {
	if (go === "import") importer.show();
	else if (go === "checkNow") void app.checkNow();
	else if (go === "sandbox") route.go({ page: "settings" });
	else if (go === "runs") route.go({ page: "runs", run: run ?? undefined });
	else route.go({ page: go });
}
