// The one door to the program behind the window. No other file imports @tauri-apps.

import { getCurrentWebview } from "@tauri-apps/api/webview";
import { getCurrentWindow } from "@tauri-apps/api/window";
import { open, save } from "@tauri-apps/plugin-dialog";
import { bridgeError, type Effect } from "../errors";
import type { ApiError } from "./bindings";
import {
	type ActivityAdded,
	type ConnectionChanged,
	commands,
	type DatasetsChanged,
	events,
	type ImportProgressed,
	type KeyChanged,
	type MenuChosen,
	type PageRequested,
	type RunChanged,
	type TrayExplained,
} from "./bindings";

export type * from "./bindings";

export type Commands = typeof commands;

export interface EventPayloads {
	runChanged: RunChanged;
	connectionChanged: ConnectionChanged;
	keyChanged: KeyChanged;
	activityAdded: ActivityAdded;
	importProgressed: ImportProgressed;
	datasetsChanged: DatasetsChanged;
	pageRequested: PageRequested;
	trayExplained: TrayExplained;
	menuChosen: MenuChosen;
}

export type DropEvent = { kind: "over" } | { kind: "left" } | { kind: "dropped"; paths: string[] };

export interface Backend {
	commands: Commands;
	/** Returns a function that stops listening. */
	listen<E extends keyof EventPayloads>(event: E, heard: (payload: EventPayloads[E]) => void): Promise<() => void>;
	/** The system's file dialog; `null` when it was closed. */
	pickFile(): Promise<string | null>;
	pickDirectory(): Promise<string | null>;
	/** Where to write a file of this name; `null` when the dialog was closed. */
	pickSave(name: string): Promise<string | null>;
	/** Files dragged over and dropped on the window. */
	onDrop(heard: (event: DropEvent) => void): Promise<() => void>;
	setTitle(title: string): Promise<void>;
}

const listeners: {
	[E in keyof EventPayloads]: (heard: (event: { payload: EventPayloads[E] }) => void) => Promise<() => void>;
} = {
	runChanged: events.runChanged.listen,
	connectionChanged: events.connectionChanged.listen,
	keyChanged: events.keyChanged.listen,
	activityAdded: events.activityAdded.listen,
	importProgressed: events.importProgressed.listen,
	datasetsChanged: events.datasetsChanged.listen,
	pageRequested: events.pageRequested.listen,
	trayExplained: events.trayExplained.listen,
	menuChosen: events.menuChosen.listen,
};

const tauri: Backend = {
	commands,
	listen: (event, heard) => listeners[event]((e) => heard(e.payload)),
	pickFile: () =>
		open({
			multiple: false,
			directory: false,
			filters: [{ name: "Reviews", extensions: ["jsonl", "json", "ndjson"] }],
		}),
	pickDirectory: () => open({ multiple: false, directory: true }),
	pickSave: (name) => save({ defaultPath: name, filters: [{ name, extensions: [name.split(".").at(-1) ?? ""] }] }),
	onDrop: (heard) =>
		getCurrentWebview().onDragDropEvent(({ payload }) => {
			if (payload.type === "drop") heard({ kind: "dropped", paths: payload.paths });
			else heard({ kind: payload.type === "leave" ? "left" : "over" });
		}),
	setTitle: (title) => getCurrentWindow().setTitle(title),
};

let current: Backend = tauri;

export const backend = (): Backend => current;

/** Puts another program behind the window: the fake, in tests and in a plain browser. */
export function useBackend(other: Backend): void {
	current = other;
}

export type Outcome<T> = { ok: true; data: T } | { ok: false; error: ApiError };

/** Awaits a dialog of the system's; one that cannot be opened is an error like any other. */
export async function chosen(dialog: Promise<string | null>): Promise<Outcome<string | null>> {
	try {
		return { ok: true, data: await dialog };
	} catch (thrown) {
		return { ok: false, error: bridgeError(thrown) };
	}
}

/** Awaits a command; whatever the bridge throws becomes an error of the same shape as the program's own. */
export async function call<T>(
	result: Promise<{ status: "ok"; data: T } | { status: "error"; error: ApiError }>,
	does: Effect = "asks",
): Promise<Outcome<T>> {
	try {
		const r = await result;
		return r.status === "ok" ? { ok: true, data: r.data } : { ok: false, error: r.error };
	} catch (thrown) {
		return { ok: false, error: bridgeError(thrown, does) };
	}
}
