// The fake's catalog files, model table, settings, key, provider and list of activity: what is kept and given back.

import { refuse } from "./errors";
import type { Memory, Part } from "./memory";

type Commands = Part<
	| "catalogOverview"
	| "catalogText"
	| "catalogDrafts"
	| "catalogDraftsKeep"
	| "catalogTopic"
	| "catalogPrompt"
	| "catalogTry"
	| "catalogImpact"
	| "catalogSave"
	| "catalogAdd"
	| "modelList"
	| "modelTable"
	| "modelEdit"
	| "modelAdd"
	| "modelReset"
	| "modelRestore"
	| "modelsAsk"
	| "activityList"
	| "activitySeen"
	| "storage"
	| "settingsGet"
	| "settingsSet"
	| "keySet"
	| "keyClear"
	| "keyLook"
	| "runShown"
	| "providerSet"
	| "sandboxUse"
>;

export function settingsCommands(m: Memory): Commands {
	const { catalog, models: modelTable, state, log, now, app } = m;

	const providerSet: Commands["providerSet"] = (kind, url) => {
		if (kind === "custom" && !/^https?:\/\//.test(url ?? ""))
			refuse("invalidInput", "The address starts with http:// or https://.", { safe: "The provider is unchanged." });
		const known = { openai: "https://api.openai.com/v1", sandbox: "http://127.0.0.1:40123/v1", custom: url ?? "" };
		const address = known[kind];
		const here = /^http:\/\/(127\.0\.0\.1|localhost|\[::1\])[:/]/.test(address);
		state.provider = {
			kind,
			name: kind === "openai" ? "OpenAI" : kind === "sandbox" ? "the sandbox" : new URL(address).host,
			url: address,
			sandbox: here,
			needsKey: !here,
		};
		if (kind === "custom") m.settings.customUrl = url;
		return app();
	};

	return {
		catalogOverview: () => catalog.overview(),
		catalogText: (path) => catalog.text(path),
		catalogDrafts: () => m.drafts,
		catalogDraftsKeep: (next) => {
			m.drafts = structuredClone(next);
			return null;
		},
		catalogTopic: (topic, changes) => catalog.topic(topic, changes),
		catalogPrompt: (query, changes) => catalog.prompt(query, changes),
		catalogTry: (changes) => catalog.check(changes),
		catalogImpact: (id, changes) => catalog.impact(id, changes),
		catalogSave: (changes) => catalog.save(changes),
		catalogAdd: (dir) => catalog.add(dir),
		modelList: () => modelTable.list(),
		modelTable: () => modelTable.table(),
		modelEdit: (model, field, value) => modelTable.edit(model, field, value),
		modelAdd: (model, edits) => modelTable.add(model, edits),
		modelReset: (model) => modelTable.reset(model),
		modelRestore: (taken) => modelTable.restore(taken),
		modelsAsk: () => modelTable.ask(now()),
		activityList: (limit) => log.slice(0, limit),
		activitySeen: (upTo) => {
			const at = log.find((a) => a.activity === upTo)?.at ?? 0;
			for (const a of log) if (a.at <= at) a.seen = true;
			return app();
		},
		storage: () => ({ storeBytes: 67_375_104, otherBytes: 0, remoteFiles: 2, remoteUploadedBytes: 190_000_000 }),
		settingsGet: () => m.settings,
		settingsSet: (next) => {
			if (next.batchRequestsMax < 1 || next.batchRequestsMax > 50000)
				refuse("invalidInput", "A batch holds 1 to 50,000 requests.");
			m.settings = structuredClone(next);
			state.budgetDayUsd = next.budgetDayUsd;
			return structuredClone(m.settings);
		},
		keySet: (key) => {
			if (!key.startsWith("sk-") || key.includes("wrong"))
				refuse("keyRefused", "The provider refused this key.", {
					detail: "401 invalid_api_key: Incorrect API key provided",
					safe: "The key you had is unchanged.",
					action: "Copy the key again, whole.",
				});
			state.key = {
				stored: true,
				hint: `${key.slice(0, 8)}…${key.slice(-4)}`,
				looked: true,
				kept: "keyring",
				acceptedAt: now(),
				problem: null,
			};
			if (state.connection.state === "keyRefused" || state.connection.state === "keyMissing")
				state.connection = { ...state.connection, state: "online" };
			return app();
		},
		keyClear: () => {
			state.key = { looked: true, stored: false, hint: null, kept: null, acceptedAt: null, problem: null };
			return app();
		},
		keyLook: () => {
			state.key = { ...state.key, looked: true };
			return app();
		},
		runShown: () => null,
		providerSet,
		sandboxUse: () => providerSet("sandbox", null),
	};
}
