// Numbers, money and times as DESIGN says them: the locale decides separators and the clock, the words are English.

import type { AppliedAggregator } from "./backend/bindings";

/** The first of these tags that is one. WebKitGTK calls the POSIX locale "C", which Intl refuses. */
export function usableLocale(tags: readonly string[]): string {
	for (const tag of tags) {
		try {
			const [canonical] = Intl.getCanonicalLocales(tag);
			if (canonical && Intl.NumberFormat.supportedLocalesOf(canonical).length > 0) return canonical;
		} catch {
			// Not a language tag: the next one.
		}
	}
	return "en-GB";
}

export const locale = usableLocale(navigator.languages?.length ? navigator.languages : [navigator.language]);

/** Made at first use: each takes its time to make, and the first page needs few of them. */
function lazy<T>(make: () => T): () => T {
	let made: T | undefined;
	return () => {
		made ??= make();
		return made;
	};
}

const counts = lazy(() => new Intl.NumberFormat(locale, { maximumFractionDigits: 0 }));
const dollars = lazy(
	() =>
		new Intl.NumberFormat(locale, {
			style: "currency",
			currency: "USD",
			currencyDisplay: "narrowSymbol",
			minimumFractionDigits: 2,
			maximumFractionDigits: 2,
		}),
);
const prices = lazy(() => new Intl.NumberFormat(locale, { minimumFractionDigits: 2, maximumFractionDigits: 4 }));
const millions = lazy(() => new Intl.NumberFormat(locale, { minimumFractionDigits: 2, maximumFractionDigits: 2 }));
const ratios = lazy(() => new Intl.NumberFormat(locale, { minimumFractionDigits: 2, maximumFractionDigits: 2 }));
const decimals = lazy(() => new Intl.NumberFormat(locale, { maximumFractionDigits: 2 }));
const figures = lazy(() => new Intl.NumberFormat(locale, { maximumFractionDigits: 6 }));
const plain = lazy(() => new Intl.NumberFormat(locale, { maximumFractionDigits: 6, useGrouping: false }));
const halfDays = lazy(() => new Intl.DateTimeFormat(locale, { hour: "numeric" }).resolvedOptions().hour12 ?? false);
const clocks = lazy(
	() => new Intl.DateTimeFormat(locale, { hour: halfDays() ? "numeric" : "2-digit", minute: "2-digit" }),
);
const clocksSeconds = lazy(
	() =>
		new Intl.DateTimeFormat(locale, {
			hour: halfDays() ? "numeric" : "2-digit",
			minute: "2-digit",
			second: "2-digit",
		}),
);
const days = lazy(() => new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" }));
const daysShort = lazy(() => new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" }));
const daysLong = lazy(
	() => new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" }),
);
const daysUtc = lazy(
	() => new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" }),
);

/** `18,440` */
export const count = (n: number): string => counts().format(n);

/** A score; a dash where there is none. */
export const points = (score: number | null): string => (score === null ? "–" : count(score));

/** `1 review`, `18,440 reviews` */
export function counted(n: number, one: string, many = `${one}s`): string {
	return `${count(n)} ${n === 1 ? one : many}`;
}

const isBelowACent = (usd: number): boolean => usd > 0 && usd < 0.01;

/** `$3.32`; more than nothing and less than a cent is `<$0.01`, never $0.00. Short, because it stands in columns. */
export const money = (usd: number): string =>
	isBelowACent(usd) ? `<${dollars().format(0.01)}` : dollars().format(usd);

/** An estimate within a sentence: `about $3.32`, `less than $0.01`. */
export const about = (usd: number): string =>
	isBelowACent(usd) ? `less than ${dollars().format(0.01)}` : `about ${dollars().format(usd)}`;

/** `67.4 MB`, in decimal units as disks are sold: B, kB, MB, GB. */
export function bytes(n: number): string {
	const unit = n < 1000 ? 0 : n < 1e6 ? 1 : n < 1e9 ? 2 : 3;
	const figure = n / 1000 ** unit;
	return `${unit ? decimals().format(figure) : count(figure)} ${["B", "kB", "MB", "GB"][unit]}`;
}

/** A price per million tokens: `0.125`, `1.00`. */
export const price = (usd: number): string => prices().format(usd);

/** `13.28 M` from a million on, `932,100` below. */
export function tokens(n: number): string {
	return n >= 1_000_000 ? `${millions().format(n / 1_000_000)} M` : count(n);
}

/** `55 %`, rounded down, so that 100 % means all of it. */
export function percent(part: number, whole: number): string {
	return `${whole > 0 ? Math.floor((100 * part) / whole) : 0} %`;
}

/** Width of a bar, 0 to 100. */
export function share(part: number, whole: number): number {
	return whole > 0 ? Math.min(100, Math.max(0, (100 * part) / whole)) : 0;
}

/** The aggregator behind a result, and where it could not be used. */
export const settledBy = (applied: AppliedAggregator): string =>
	applied.kept.length === 0 ? applied.name : `${applied.name} (weighted majority for ${applied.kept.join(", ")})`;

/** A confidence: `0.60`. */
export const ratio = (n: number): string => ratios().format(n);

/** At most two decimals and no trailing zeros: `0.5`, `1.25`. */
export const decimal = (n: number): string => decimals().format(n);

/** What stands in a file as a number or an ISO time, as people here write it; words stay. */
export function cellWords(cell: string | number | null): string {
	if (cell === null) return "–";
	if (typeof cell === "number") return figures().format(cell);
	if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(cell)) return cell;
	const at = Date.parse(cell) / 1000;
	return `${day(at)}, ${clock(at)}`;
}

/** A number as it is typed: the locale's decimal sign and nothing between thousands. */
export const typedNumber = (n: number): string => plain().format(n);

/** What one locale puts between thousands and before decimals. */
interface Signs {
	group: string;
	decimal: string;
}

export function signsOf(tag: string): Signs {
	const parts = new Intl.NumberFormat(tag).formatToParts(1234567.5);
	const sign = (type: "group" | "decimal") => parts.find((p) => p.type === type)?.value ?? "";
	return { group: sign("group"), decimal: sign("decimal") || "." };
}

const signs = lazy(() => signsOf(locale));

/** Reads what somebody typed, as their locale writes it: `12,5` and `1.200` in German. A point before other than three digits is
 * a decimal one everywhere, as that is what a figure copied from elsewhere has. `NaN` is no number. */
export function readNumber(text: string, { group, decimal }: Signs = signs()): number {
	const typed = text.replace(/[\s\u00a0\u202f'’]/g, "");
	if (typed === "") return Number.NaN;
	const escaped = (sign: string) => sign.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
	const grouped =
		group.trim() !== "" &&
		new RegExp(`^[-−]?\\d{1,3}(${escaped(group)}\\d{3})+(${escaped(decimal)}\\d+)?$`).test(typed);
	const digits = grouped ? typed.replaceAll(group, "") : typed;
	return Number(digits.replace(decimal, ".").replace("−", "-"));
}

/** A typed number with the point that the program reads; what is no number goes as it is, and is refused in words. */
export function pointed(typed: string): string {
	const number = readNumber(typed);
	return Number.isNaN(number) ? typed : String(number);
}

/** Seconds as `40 s`, `6 min`, `3 h`, `2 days`. */
export function span(seconds: number): string {
	const s = Math.max(0, Math.round(seconds));
	if (s < 60) return `${s} s`;
	if (s < 3600) return `${Math.round(s / 60)} min`;
	if (s < 48 * 3600) return `${Math.round(s / 3600)} h`;
	return `${Math.round(s / 86400)} days`;
}

/** `6 to 11 h`, `40 to 90 s`; one unit for both ends, that of the larger. */
export function spanRange(min: number, max: number): string {
	const [unit, size] = max < 90 ? ["s", 1] : max < 90 * 60 ? ["min", 60] : ["h", 3600];
	const low = Math.max(1, Math.floor(min / (size as number)));
	const high = Math.max(1, Math.ceil(max / (size as number)));
	return low === high ? `${high} ${unit}` : `${low} to ${high} ${unit}`;
}

/** `40 s ago`; a date takes its place after 24 hours. Times are seconds since 1970. */
export function ago(at: number, now: number): string {
	const passed = now - at;
	if (passed >= 86400) return day(at);
	if (passed < 2) return "just now";
	return `${span(passed)} ago`;
}

/** `13:24`, by the locale's clock. */
export const clock = (at: number): string => clocks().format(at * 1000);

/** `13:24:05`, for what happens within minutes. */
export const clockSeconds = (at: number): string => clocksSeconds().format(at * 1000);

/** `24 Nov 2026` */
export const day = (at: number): string => days().format(at * 1000);

/** `24 Nov` */
export const dayShort = (at: number): string => daysShort().format(at * 1000);

/** Days of the person's calendar from `now` to `at`: −1 is yesterday. */
function daysFrom(now: number, at: number): number {
	const noon = (t: number) => new Date(t * 1000).setHours(12, 0, 0, 0);
	// A day of 23 or 25 hours is one day.
	return Math.round((noon(at) - noon(now)) / 86_400_000);
}

/** The clock today, `yesterday`, else the day. */
export function when(at: number, now: number): string {
	const days = daysFrom(now, at);
	return days === 0 ? clock(at) : days === -1 ? "yesterday" : dayShort(at);
}

/** As `when`, with the clock on other days too: `26 Nov, 03:10`. */
export function whenExactly(at: number, now: number): string {
	return daysFrom(now, at) === 0 ? clock(at) : `${when(at, now)}, ${clock(at)}`;
}

/** `4 Nov 2017` from `2017-11-04`, without a time zone's say. */
export function calendarDay(date: string | null, long = false): string {
	if (!date) return "no date";
	const time = Date.parse(`${date.slice(0, 10)}T00:00:00Z`);
	if (Number.isNaN(time)) return date;
	return (long ? daysLong() : daysUtc()).format(time);
}

/** Whole days from now until a `YYYY-MM-DD`; negative once it is past. */
export function daysUntil(date: string, now: number): number {
	return Math.ceil((Date.parse(`${date}T00:00:00Z`) / 1000 - now) / 86400);
}

/** `Allergy safety`, `Allergy safety and Hygiene`, `Allergy safety, Hygiene and 3 more` */
export function listed(names: string[], most = 3): string {
	if (names.length <= 1) return names[0] ?? "";
	if (names.length <= most) return `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`;
	return `${names.slice(0, most - 1).join(", ")} and ${names.length - most + 1} more`;
}
