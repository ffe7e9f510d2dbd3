// One table from error code to how it is shown: severity, a headline and where the remedy is.
// The sentence itself comes with the error; nothing here matches on English text.

import type { ApiError, ErrorCode, Page } from "./backend/bindings";

type ErrorSeverity = "warning" | "danger";

export interface ErrorAction {
	label: string;
	/** The page that holds the remedy, or an act that the shell performs. */
	go: Page | "import" | "checkNow";
}

interface ErrorWords {
	severity: ErrorSeverity;
	title: string;
	action?: ErrorAction;
}

const openSettings: ErrorAction = { label: "Open settings", go: "settings" };
const checkNow: ErrorAction = { label: "Check now", go: "checkNow" };

export const errorTable: Record<ErrorCode, ErrorWords> = {
	invalidInput: { severity: "warning", title: "This cannot be done as entered." },
	notFound: { severity: "warning", title: "It no longer exists." },
	fileUnreadable: { severity: "danger", title: "The file could not be read." },
	fileFormat: { severity: "danger", title: "The file is not in the format that is needed." },
	fileUnwritable: { severity: "danger", title: "The file could not be written." },
	diskFull: { severity: "danger", title: "The disk is full." },
	datasetInUse: {
		severity: "warning",
		title: "A live run needs this dataset.",
		action: { label: "Open runs", go: "runs" },
	},
	storeLocked: { severity: "danger", title: "Another Quorum has the data open." },
	storeNewer: { severity: "danger", title: "This data was written by a newer Quorum." },
	storeDamaged: { severity: "danger", title: "The data on disk is damaged." },
	storeFailed: { severity: "danger", title: "The data could not be read or stored." },
	keyMissing: { severity: "warning", title: "No API key is set.", action: openSettings },
	keyRefused: { severity: "danger", title: "The provider refused the key.", action: openSettings },
	keyringAbsent: { severity: "warning", title: "Your system has no keyring.", action: openSettings },
	keyringLocked: { severity: "warning", title: "The system keyring is locked." },
	keyringFailed: { severity: "danger", title: "The system keyring failed." },
	offline: { severity: "warning", title: "The provider cannot be reached.", action: checkNow },
	providerUnexpected: {
		severity: "danger",
		title: "That address does not answer like a provider.",
		action: openSettings,
	},
	providerRejected: { severity: "danger", title: "The provider rejected the request." },
	providerFailed: { severity: "warning", title: "The provider failed.", action: checkNow },
	rateLimited: { severity: "warning", title: "The provider asks for patience." },
	quotaExceeded: { severity: "danger", title: "The account has no credit left." },
	modelUnavailable: { severity: "danger", title: "A model cannot be used." },
	budgetExceeded: { severity: "warning", title: "This is above the budget.", action: openSettings },
	planChanged: { severity: "warning", title: "The plan has changed since." },
	runState: { severity: "warning", title: "The run has moved on." },
	internal: { severity: "danger", title: "Quorum failed." },
};

/** The table's entry; a code this version does not know is treated as a failure of its own. */
export function errorWords(error: ApiError): ErrorWords {
	return errorTable[error.code] ?? errorTable.internal;
}

/** Whether a command may have cost money by the time that its answer is lost. */
export type Effect = "asks" | "sends";

/** What the bridge itself throws (a bug or a closed window), as an error of the same shape. */
export function bridgeError(thrown: unknown, does: Effect = "asks"): ApiError {
	return {
		code: "internal",
		message: "The window could not reach the program behind it.",
		detail: thrown instanceof Error ? thrown.message : String(thrown),
		safe:
			does === "asks"
				? "What is stored is safe."
				: "What is stored is safe, but whether this was done is not known: it may have been sent.",
		action:
			does === "asks"
				? "Close the window and open it again."
				: "Close the window, open it again, and look at Runs before you send anything once more.",
	};
}
