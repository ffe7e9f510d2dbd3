import { expect, test } from "vitest";
import { hasWords, placesOf, rangesOf } from "./find";

test("every word must occur, in any order", () => {
	expect(hasWords("Allergy safety K=50", "k=50 allergy")).toBe(true);
	expect(hasWords("Allergy safety K=50", "allergy k=25")).toBe(false);
	expect(hasWords("anything", "  ")).toBe(true);
});

test("places are found in reading order, and a match does not cross elements", () => {
	const page = document.createElement("div");
	page.innerHTML = "<p>Nut and <b>nut</b>ty</p><ul><li>walNUT, nut</li></ul>";
	document.body.append(page);
	const found = rangesOf(page, " nut ");
	page.remove();
	expect(found.map((r) => `${r.startContainer.textContent} ${r.startOffset}-${r.endOffset}`)).toEqual([
		"Nut and  0-3",
		"nut 0-3",
		"walNUT, nut 3-6",
		"walNUT, nut 8-11",
	]);
	expect(rangesOf(page, "nutty")).toEqual([]);
	expect(rangesOf(page, "")).toEqual([]);
});

test("what cannot be seen is not counted as found", () => {
	const page = document.createElement("main");
	page.innerHTML =
		'<p>nut</p><p class="sr">nut</p><p style="display:none">nut</p><p style="visibility:hidden">nut</p><div style="display:none"><b>nut</b></div>' +
		"<select><option>nut</option></select><textarea>nut</textarea>";
	document.body.append(page);
	expect(rangesOf(page, "nut").map((r) => r.startContainer.parentElement?.outerHTML)).toEqual(["<p>nut</p>"]);
	page.remove();
});

test("places in a text do not overlap, whatever the letter case", () => {
	expect(placesOf("aaaa Aa", "aa")).toEqual([0, 2, 5]);
	expect(placesOf("anything", " ")).toEqual([]);
});
