// What the one loud button of New extraction does now, and says. It names the price whenever it spends.

import { count, counted, money } from "../../lib/format";
import { app } from "../../lib/state/app.svelte";
import { extraction } from "../../lib/state/extraction.svelte";
import { importer } from "../../lib/state/importer.svelte";
import { route, selection } from "../../lib/state/route.svelte";

export interface NextStep {
	kind: "wait" | "import" | "choose" | "results" | "key" | "send";
	label: string;
	disabled: boolean;
}

export function nextStep(): NextStep {
	const e = extraction.estimate;
	if (!selection.dataset) return { kind: "import", label: "Import a dataset first", disabled: false };
	if (extraction.topics.length === 0) return { kind: "choose", label: "Choose a topic", disabled: true };
	if (!extraction.kValid) return { kind: "choose", label: "Give K as a number from 1", disabled: true };
	if (extraction.members.length === 0) return { kind: "choose", label: "Add a model", disabled: true };
	if (extraction.counting) return { kind: "wait", label: "Counting…", disabled: true };
	if (!e) return { kind: "wait", label: "No estimate", disabled: true };
	if (e.requests === 0) return { kind: "results", label: "Open results", disabled: false };
	if (e.warnings.some((w) => w.code === "modelShutDown"))
		return { kind: "choose", label: "Replace the model that is shut down", disabled: true };
	const n = counted(e.requests, "request");
	if (app.sandbox) return { kind: "send", label: `Send ${n}, no cost`, disabled: false };
	if (app.state?.provider.needsKey && !app.state.key.stored)
		return { kind: "key", label: "Add a key to send", disabled: false };
	const usd = money(e.usd);
	if (extraction.overBudgetUsd > 0) return { kind: "send", label: `Allow ${usd} and send…`, disabled: false };
	if (app.offline) return { kind: "send", label: `Queue for ${usd}, sends when online`, disabled: false };
	return {
		kind: "send",
		label: `Send ${count(e.requests)} ${e.requests === 1 ? "request" : "requests"} for ${usd}`,
		disabled: false,
	};
}

/** Every step but sending, which asks first. */
export function take(step: NextStep): void {
	if (step.kind === "import") importer.show();
	else if (step.kind === "key") route.go({ page: "settings", section: "provider" });
	else if (step.kind === "results") {
		selection.topic = extraction.topics[0] ?? selection.topic;
		selection.k = extraction.chosenK;
		route.go({ page: "results" });
	}
}
