import { expect, test } from "vitest";
import { hasWords, rangesOf } from "./find";

test("every word must occur, in any order", () => {
	expect(hasWords("Allergy safety K=50", "k=50 allergy")).toBe(true);
	expect(hasWords("Allergy safety K=50", "allergy k=25")).toBe(false);
	expect(hasWords("anything", "  ")).toBe(true);
});

test("places are found in reading order, and a match does not cross elements", () => {
	const page = document.createElement("div");
	page.innerHTML = "<p>Nut and <b>nut</b>ty</p><ul><li>walNUT, nut</li></ul>";
	const found = rangesOf(page, " nut ");
	expect(found.map((r) => `${r.startContainer.textContent} ${r.startOffset}-${r.endOffset}`)).toEqual([
		"Nut and  0-3",
		"nut 0-3",
		"walNUT, nut 3-6",
		"walNUT, nut 8-11",
	]);
	expect(rangesOf(page, "nutty")).toEqual([]);
	expect(rangesOf(page, "")).toEqual([]);
});
