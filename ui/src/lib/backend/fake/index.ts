// A program in memory, for component tests and for `npm run dev` in a plain browser. It sends nothing anywhere.

import type { Activity, ApiError, ErrorCode } from "../bindings";
import type { Backend, Commands, DropEvent, EventPayloads } from "../index";
import { datasetCommands } from "./datasets";
import { Refusal } from "./errors";
import { extractionCommands } from "./extractions";
import { judgingCommands } from "./judging";
import { createMemory, type FakeOptions, type Part, type Result } from "./memory";
import { resultsCommands } from "./results";
import { settingsCommands } from "./settings";

export type { FakeOptions };

export interface Fake extends Backend {
	/** Tells what changed since the last look. */
	look(): void;
	/** The next call of this command fails so. */
	failNext(command: keyof Commands, code: ErrorCode, message?: string): void;
	drop(event: DropEvent): void;
	/** As the tray or a notification does. */
	request(page: EventPayloads["pageRequested"]): void;
	/** Whatever the program may tell the window. */
	emit<E extends keyof EventPayloads>(event: E, payload: EventPayloads[E]): void;
	/** As the loop does when something happened. */
	say(a: Activity): void;
	calls: { command: string; args: unknown[] }[];
}

export function createFake(options: FakeOptions = {}): Fake {
	const memory = createMemory(options);
	const { scenario, listeners, emit } = memory;
	const failures = new Map<string, ApiError>();
	const calls: Fake["calls"] = [];
	let dropped: ((e: DropEvent) => void) | null = null;

	const { look, ...extractions } = extractionCommands(memory);
	const results = resultsCommands(memory);
	const impl: Part<keyof Commands> = {
		appState: memory.app,
		...datasetCommands(memory),
		...settingsCommands(memory),
		...extractions,
		...results,
		...judgingCommands(memory, results),
	};

	const delayMs = scenario === "slow" ? 60000 : options.timer ? 40 : 0;
	const commands = Object.fromEntries(
		(Object.keys(impl) as (keyof Commands)[]).map((name) => [
			name,
			async (...args: unknown[]): Promise<Result<unknown>> => {
				calls.push({ command: name, args });
				if (delayMs && !(scenario === "slow" && !/Overview|runList|Detail|planEstimate/.test(name)))
					await new Promise((r) => setTimeout(r, delayMs));
				const planned = failures.get(name);
				failures.delete(name);
				if (planned) return { status: "error", error: planned };
				try {
					return { status: "ok", data: structuredClone((impl[name] as (...a: unknown[]) => unknown)(...args)) };
				} catch (e) {
					if (e instanceof Refusal) return { status: "error", error: e.error };
					throw e;
				}
			},
		]),
	) as unknown as Commands;

	if (options.timer) setInterval(look, 500);
	look();

	return {
		commands,
		calls,
		look,
		failNext: (command, code, message = "It failed.") =>
			failures.set(command, { code, message, detail: null, safe: "Nothing was changed.", action: null }),
		drop: (event) => dropped?.(event),
		request: (page) => emit("pageRequested", page),
		emit,
		say: memory.say,
		async listen(event, heard) {
			const set = listeners.get(event) ?? new Set();
			listeners.set(event, set);
			set.add(heard as (p: never) => void);
			return () => set.delete(heard as (p: never) => void);
		},
		pickFile: async () => "/home/user/reviews_40x25.jsonl",
		pickSave: async (name) => `/home/user/${name}`,
		pickDirectory: async () => "/home/user/ground-truth",
		async onDrop(heard) {
			dropped = heard;
			return () => {
				dropped = null;
			};
		},
		async setTitle(title) {
			document.title = title;
		},
	};
}
