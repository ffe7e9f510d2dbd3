import { expect, test } from "vitest";
import { resolveTokens } from "./tokens";

test("tokens have the theme's value, and dark falls back to what both share", () => {
	expect(resolveTokens("var(--ink)", "light")).toBe("#1b1c20");
	expect(resolveTokens("var(--ink)", "dark")).toBe("#ededf0");
	expect(resolveTokens("var(--t-11)", "dark")).toBe("11px");
	expect(resolveTokens("none", "light")).toBe("none");
	expect(resolveTokens("var(--no-such)", "light")).toBe("var(--no-such)");
});
