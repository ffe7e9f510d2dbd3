// Tables as CSV (RFC 4180): commas, CRLF, quotes where needed, numbers with a point whatever the locale.

type Cell = string | number | null;

export interface Table {
	head: string[];
	rows: Cell[][];
}

/** A text that a spreadsheet would take for a formula gets an apostrophe in front: names and reviews are strangers' words. */
function cell(value: Cell): string {
	if (value === null) return "";
	if (typeof value === "number") return Number.isFinite(value) ? String(value) : "";
	const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
	return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** With a byte order mark, without which spreadsheets take UTF-8 for something else. */
export const csv = ({ head, rows }: Table): string =>
	`\ufeff${[head, ...rows].map((row) => row.map(cell).join(",")).join("\r\n")}\r\n`;

/** A name that every system takes for a file. */
export const fileName = (...parts: (string | number)[]): string =>
	parts
		.join(" ")
		.replace(/[^\p{L}\p{N}.=-]+/gu, "_")
		.replace(/^_+|_+$/g, "")
		.slice(0, 120);
