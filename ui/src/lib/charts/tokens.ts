// The design's tokens as plain values, for pictures that leave the window: a file knows no custom properties.

import sheet from "../../tokens.css?raw";

export type Theme = "light" | "dark";

/** `--name: value` of the blocks that start so. */
function blockOf(selector: string): Map<string, string> {
	const start = sheet.indexOf(`${selector} {`);
	const block = sheet.slice(start, sheet.indexOf("\n}", start));
	return new Map([...block.matchAll(/^\s*(--[\w-]+):\s*([^;]+);/gm)].map((m) => [m[1] ?? "", m[2] ?? ""]));
}

const light = blockOf(":root");
const dark = new Map([...light, ...blockOf(':root[data-theme="dark"]')]);

/** `var(--ink)` as the theme has it; everything else as it is. */
export function resolveTokens(value: string, theme: Theme): string {
	const tokens = theme === "dark" ? dark : light;
	return value.replace(/var\((--[\w-]+)\)/g, (whole, name: string) => {
		const found = tokens.get(name);
		return found === undefined ? whole : resolveTokens(found, theme);
	});
}
