import { expect, test } from "vitest";
import bindings from "./backend/bindings.ts?raw";
import { bridgeError, errorTable, errorWords } from "./errors";

test("the table has every code of the program and no other", () => {
	const line = bindings.split("\n").find((l) => l.startsWith("export type ErrorCode")) ?? "";
	const start = bindings.indexOf("export type ErrorCode");
	const text = line.includes(";") ? line : bindings.slice(start, bindings.indexOf(";", start));
	// Doc comments quote nothing, so each quoted word is a code.
	const codes = [...text.matchAll(/"(\w+)"/g)].map((m) => m[1]);
	expect(codes.length).toBeGreaterThan(20);
	expect(Object.keys(errorTable).sort()).toEqual([...codes].sort());
});

test("headlines are sentences without apologies", () => {
	for (const { title } of Object.values(errorTable)) {
		expect(title).toMatch(/^[A-Z].*\.$/);
		expect(title).not.toMatch(/oops|please|sorry|successfully|!/i);
	}
});

test("a code from a newer program is still shown", () => {
	const error = { ...bridgeError("x"), code: "somethingNew" as never };
	expect(errorWords(error)).toBe(errorTable.internal);
});

test("what the bridge throws becomes an error of the same shape", () => {
	expect(bridgeError(new Error("ipc closed"))).toMatchObject({ code: "internal", detail: "ipc closed" });
	expect(bridgeError("gone").detail).toBe("gone");
});

test("of what may have been sent it is not said that nothing was", () => {
	const error = bridgeError("gone", "sends");
	expect(`${error.safe} ${error.action}`).toContain("whether this was done is not known");
	expect(error.action).toContain("look at Runs before you send anything once more");
	expect(bridgeError("gone").safe).not.toContain("Nothing was changed");
});
