// The pages in the sidebar, in the order that Ctrl 1…9 counts them.

import type { IconName } from "../../lib/components/icons";

interface PageEntry {
	page: "extraction" | "runs" | "results" | "queue" | "whatif" | "trust" | "catalog" | "activity";
	name: string;
	icon: IconName;
	/** The letter after G. */
	letter: string;
}

export const pages: PageEntry[] = [
	{ page: "extraction", name: "New extraction", icon: "plus", letter: "n" },
	{ page: "runs", name: "Runs", icon: "runs", letter: "r" },
	{ page: "results", name: "Results", icon: "table", letter: "e" },
	{ page: "queue", name: "Review queue", icon: "queue", letter: "q" },
	{ page: "whatif", name: "What-if", icon: "sliders", letter: "w" },
	{ page: "trust", name: "Trust", icon: "scale", letter: "t" },
	{ page: "catalog", name: "Catalog", icon: "book", letter: "c" },
	{ page: "activity", name: "Activity", icon: "bell", letter: "a" },
];
