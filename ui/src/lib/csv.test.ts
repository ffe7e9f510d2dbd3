import { expect, test } from "vitest";
import { csv, fileName } from "./csv";

const lines = (rows: (string | number | null)[][]) =>
	csv({ head: ["a"], rows })
		.slice(1)
		.split("\r\n")
		.slice(1, -1);

test("quotes what needs it and keeps numbers as numbers", () => {
	expect(csv({ head: ["a", "b"], rows: [] })).toBe("\ufeffa,b\r\n");
	expect(lines([['say "no"', "x,y", 1234.5, -2, null]])).toEqual(['"say ""no""","x,y",1234.5,-2,']);
	expect(lines([["two\nlines", Number.NaN]])).toEqual(['"two\nlines",']);
});

test("a stranger's text never becomes a formula", () => {
	expect(lines([["=1+1", "@cmd", "+49", "-ish", "fine"]])).toEqual(["'=1+1,'@cmd,'+49,'-ish,fine"]);
});

test("file names hold letters of any script and nothing that a system refuses", () => {
	expect(fileName("G1_allergy", "V2 / V3", "K=50")).toBe("G1_allergy_V2_V3_K=50");
	expect(fileName("مطعم: a?b*")).toBe("مطعم_a_b");
});
