// Days of spending as columns of one length of time each: days, and when they become too many to tell apart, weeks or months.

import type { SpendDay } from "./backend";

export interface Span {
	/** The day it begins with, `YYYY-MM-DD`. */
	from: string;
	/** One per model. */
	usd: number[];
	requests: number;
}

interface Spans {
	unit: "day" | "week" | "month";
	/** Without gaps: a day without spending is a column of height 0. */
	spans: Span[];
}

const columnsMax = 31;
const msDay = 86_400_000;

const dateOf = (day: string) => new Date(`${day}T00:00:00Z`);
const dayOf = (date: Date) => date.toISOString().slice(0, 10);
const plusDays = (day: string, n: number) => dayOf(new Date(dateOf(day).getTime() + n * msDay));

/** The first day of the span that holds the day; weeks begin on Monday. */
function startOf(day: string, unit: Spans["unit"]): string {
	if (unit === "day") return day;
	if (unit === "month") return `${day.slice(0, 7)}-01`;
	return plusDays(day, -((dateOf(day).getUTCDay() + 6) % 7));
}

function nextOf(start: string, unit: Spans["unit"]): string {
	if (unit === "day") return plusDays(start, 1);
	if (unit === "week") return plusDays(start, 7);
	return startOf(plusDays(start, 31), "month");
}

export function spansOf(days: SpendDay[], models: number): Spans {
	const [first, last] = [days[0], days.at(-1)];
	if (!first || !last) return { unit: "day", spans: [] };
	const length = 1 + (dateOf(last.day).getTime() - dateOf(first.day).getTime()) / msDay;
	const unit = length <= columnsMax ? "day" : length <= 7 * columnsMax ? "week" : "month";
	const spans: Span[] = [];
	for (let from = startOf(first.day, unit); from <= last.day; from = nextOf(from, unit))
		spans.push({ from, usd: Array.from({ length: models }, () => 0), requests: 0 });
	const byStart = new Map(spans.map((s) => [s.from, s]));
	for (const d of days) {
		const span = byStart.get(startOf(d.day, unit));
		if (!span) continue;
		d.usd.forEach((usd, i) => {
			span.usd[i] = (span.usd[i] ?? 0) + usd;
		});
		span.requests += d.requests;
	}
	return { unit, spans };
}
