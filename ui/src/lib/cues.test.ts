import { expect, test } from "vitest";
import { cuePieces } from "./cues";

const marked = (text: string, cues: string[]) =>
	cuePieces(text, cues)
		.map((p) => (p.cue ? `[${p.text}]` : p.text))
		.join("");

test("whole words, in any letter case", () => {
	expect(marked("My Peanut allergy. Peanuts are fine.", ["peanut allergy", "peanut"])).toBe(
		"My [Peanut allergy]. Peanuts are fine.",
	);
});

test("cues that overlap become one mark", () => {
	expect(marked("a severe nut allergy", ["severe nut", "nut allergy"])).toBe("a [severe nut allergy]");
});

test("nothing is lost or made up", () => {
	const text = '<script>alert("hives")</script> 🍤 hives & <b>HIVES</b>';
	expect(
		cuePieces(text, ["hives"])
			.map((p) => p.text)
			.join(""),
	).toBe(text);
	expect(cuePieces(text, ["hives"]).filter((p) => p.cue)).toHaveLength(3);
});

test("empty cues and empty texts", () => {
	expect(cuePieces("plain", ["", "  "])).toEqual([{ text: "plain", cue: false }]);
	expect(cuePieces("", ["x"])).toEqual([]);
});

test("letters that change length with their case are left unmarked", () => {
	expect(cuePieces("İstanbul hives", ["hives"])).toEqual([{ text: "İstanbul hives", cue: false }]);
});
