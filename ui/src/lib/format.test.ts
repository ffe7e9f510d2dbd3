import { describe, expect, test } from "vitest";
import {
	ago,
	bytes,
	calendarDay,
	clock,
	counted,
	daysUntil,
	listed,
	money,
	percent,
	price,
	readNumber,
	share,
	signsOf,
	span,
	spanRange,
	tokens,
	usableLocale,
	when,
	whenExactly,
} from "./format";

describe("money", () => {
	test.each([
		[0, "$0.00"],
		[0.0001, "<$0.01"],
		[0.0099, "<$0.01"],
		[0.01, "$0.01"],
		[3.319, "$3.32"],
		[1234.5, "$1,234.50"],
	])("%s", (usd, text) => expect(money(usd)).toBe(text));

	test("prices keep the digits that set them apart", () => {
		expect([price(0.0025), price(0.125), price(5)]).toEqual(["0.0025", "0.125", "5.00"]);
	});
});

test("percent reaches 100 only when nothing is left", () => {
	expect(percent(18_439, 18_440)).toBe("99 %");
	expect(percent(18_440, 18_440)).toBe("100 %");
	expect(percent(0, 0)).toBe("0 %");
});

test("a share stays inside its bar", () => {
	expect([share(-1, 4), share(1, 4), share(5, 4), share(1, 0)]).toEqual([0, 25, 100, 0]);
});

test("counts name their unit", () => {
	expect(counted(1, "review")).toBe("1 review");
	expect(counted(18_440, "review")).toBe("18,440 reviews");
	expect(counted(2, "business", "businesses")).toBe("2 businesses");
});

test("tokens are millions from a million on", () => {
	expect(tokens(13_276_800)).toBe("13.28 M");
	expect(tokens(999_999)).toBe("999,999");
});

describe("times", () => {
	const now = 1_795_353_600;
	test.each([
		[now - 40, "40 s ago"],
		[now - 360, "6 min ago"],
		[now - 3 * 3600, "3 h ago"],
		[now, "just now"],
	])("ago", (at, text) => expect(ago(at, now)).toBe(text));

	test("a date takes the place of ago after a day", () => {
		expect(ago(now - 3 * 86_400, now)).toMatch(/^\d{1,2} \w+ 2026$/);
		expect(when(now - 3 * 86_400, now)).toMatch(/^\d{1,2} \w+$/);
		expect(when(now - 60, now)).toMatch(/\d{1,2}:\d{2}/);
	});

	test("a clock alone means today, ahead as well as back", () => {
		const at = (day: number, hour: number) => new Date(2026, 10, day, hour, 10).getTime() / 1000;
		const evening = at(24, 23);
		expect(when(at(24, 1), evening)).toBe(clock(at(24, 1)));
		expect(when(at(23, 23), at(24, 0))).toBe("yesterday");
		expect(when(at(22, 23), at(24, 0))).toBe("22 Nov");
		expect(when(at(25, 3), evening)).toBe("25 Nov");
		expect(when(at(27, 23), evening)).toBe("27 Nov");
		expect(whenExactly(at(27, 23), evening)).toBe(`27 Nov, ${clock(at(27, 23))}`);
		expect(whenExactly(evening, at(24, 1))).toBe(clock(evening));
	});

	test.each([
		[20, "20 s"],
		[360, "6 min"],
		[5 * 3600, "5 h"],
		[4 * 86_400, "4 days"],
	])("span", (seconds, text) => expect(span(seconds)).toBe(text));

	test("both ends of a range have one unit", () => {
		expect(spanRange(6.2 * 3600, 10.4 * 3600)).toBe("6 to 11 h");
		expect(spanRange(50, 80)).toBe("50 to 80 s");
		expect(spanRange(100, 1500)).toBe("1 to 25 min");
	});

	test("a review's date does not move with the time zone", () => {
		expect(calendarDay("2017-11-04")).toBe("4 Nov 2017");
		expect(calendarDay("2017-11-04 23:59:59")).toBe("4 Nov 2017");
		expect(calendarDay("2017-11-04", true)).toBe("4 November 2017");
		expect(calendarDay(null)).toBe("no date");
		expect(calendarDay("soon")).toBe("soon");
	});

	test("days until a shutdown", () => {
		const day = Date.UTC(2026, 10, 24, 13) / 1000;
		expect(daysUntil("2026-12-11", day)).toBe(17);
		expect(daysUntil("2026-11-20", day)).toBeLessThan(0);
	});
});

test("a locale that is none gives way to one that is", () => {
	expect(usableLocale(["C"])).toBe("en-GB");
	expect(usableLocale(["C", "de-de"])).toBe("de-DE");
	expect(usableLocale(["", "x", "tlh-ZZ"])).toBe("en-GB");
	expect(usableLocale([])).toBe("en-GB");
});

describe("what somebody types is read as their locale writes it", () => {
	test.each([
		["de", "12,5", 12.5],
		["de", "1.200", 1200],
		["de", "1.200.000,25", 1_200_000.25],
		["de", "12.5", 12.5],
		["en", "12.5", 12.5],
		["en", "1,200", 1200],
		["en", "1.200", 1.2],
		["en", "-3", -3],
		["fr", "1 200,5", 1200.5],
		["fr", "1\u202f200", 1200],
		["de-CH", "1’200.5", 1200.5],
	])("%s: %s", (tag, typed, read) => expect(readNumber(typed, signsOf(tag))).toBe(read));

	test.each(["", "twelve", "1,2,3", "12,5"])("no number in English: %s", (typed) =>
		expect(readNumber(typed, signsOf("en"))).toBeNaN(),
	);
});

test("lists of names stop before they are long", () => {
	expect(listed([])).toBe("");
	expect(listed(["A"])).toBe("A");
	expect(listed(["A", "B"])).toBe("A and B");
	expect(listed(["A", "B", "C"])).toBe("A, B and C");
	expect(listed(["A", "B", "C", "D", "E"])).toBe("A, B and 3 more");
});

test("sizes have the unit that keeps them short", () => {
	expect([0, 999, 1000, 67_375_104, 2_300_000_000].map(bytes)).toEqual(["0 B", "999 B", "1 kB", "67.38 MB", "2.3 GB"]);
});
