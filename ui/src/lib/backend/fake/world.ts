// Invented businesses, reviews and judgments, all derived from their names.

import { chance, hash, pick } from "./random";

const adjectives = [
	"Lotus",
	"Copper",
	"Golden",
	"Birch",
	"Harbor",
	"Sunday",
	"Cotton Row",
	"Green Lantern",
	"Ginger Root",
	"Salt Marsh",
	"Old Mill",
	"Umber",
	"Bright Spoon",
	"Dockside",
	"Parlor & Pine",
	"Fennel & Fig",
	"Seoul Garden",
	"Banh Mi",
	"Izakaya",
	"Maple",
	"Juniper",
	"Paper Moon",
	"Riverbend",
	"Tin Roof",
	"Blue Heron",
];
const nouns = [
	"Kitchen",
	"Social",
	"Biscuits",
	"Thai",
	"Diner",
	"Coffee",
	"Smokehouse",
	"Noodle House",
	"Crab Shack",
	"BBQ",
	"Cafe",
	"Taqueria",
	"Bakery",
	"Grill",
	"Tavern",
	"Bistro",
];
const categories = [
	"Thai, Restaurants",
	"American, Burgers",
	"Coffee & Tea, Cafes",
	"Vietnamese, Noodles",
	"Seafood, Restaurants",
	"Barbeque",
	"Mexican",
	"Bakeries, Breakfast",
	"Chinese, Restaurants",
	"Italian, Wine Bars",
];
const odd = [
	"مطعم الورد الدمشقي",
	"Nguyễn’s Bánh Mì & Phở — the original on 3rd Street, since 1987 (formerly Saigon Star Restaurant and Karaoke Lounge)",
	"🍜 Ramen <b>House</b>",
];

const openings = [
	"We come here every other week because the panang curry is the best in town.",
	"First visit, on a rainy Tuesday.",
	"Booked for six, and the table was ready.",
	"Nothing fancy, but the portions are honest.",
	"A friend had told me about this place for years.",
];
const closings = [
	"Still love the food. Just be careful and ask twice.",
	"We will be back.",
	"Not sure that we will return.",
	"Parking is easy in the evening.",
	"Bring cash, the card machine was down.",
];
const incidents: Record<string, string> = {
	mild: "I told the server about my peanut allergy and she nodded. Halfway through the spring rolls my lips started tingling. Took a Benadryl and it passed within the hour.",
	moderate: "I asked twice about sesame, and still broke out in hives before the main course. The manager shrugged.",
	severe:
		"I mentioned the shellfish allergy at the door. Twenty minutes later I used my EpiPen in the car and spent the night in hospital.",
	none: "The server asked about allergies without being told and brought a separate card.",
};

export interface Business {
	id: string;
	name: string;
	categories: string;
	reviews: number;
}

export function makeBusinesses(dataset: string, count: number, spread: boolean): Business[] {
	const used = new Set<string>();
	return Array.from({ length: count }, (_, i) => {
		const id = `${dataset}-b${i}`;
		let name = `${pick(`${id}a`, adjectives)} ${pick(`${id}n`, nouns)}`;
		if (spread && i < odd.length * 9 && i % 9 === 4) name = odd[Math.floor(i / 9)]!;
		if (used.has(name)) name = `${name} ${i + 1}`;
		used.add(name);
		return { id, name, categories: pick(`${id}c`, categories), reviews: spread ? 20 + (hash(`${id}r`) % 240) : 25 };
	});
}

export interface Review {
	id: string;
	position: number;
	date: string;
	stars: number;
	useful: number;
	text: string;
}

export const severities = ["none", "mild", "moderate", "severe"] as const;

/** What the story of a review is, before any model reads it. */
function truth(reviewId: string) {
	const bad = chance(`${reviewId}s`);
	const severity = bad < 0.45 ? "none" : bad < 0.78 ? "mild" : bad < 0.95 ? "moderate" : "severe";
	return {
		relevant: chance(`${reviewId}rel`) < 0.09,
		account: chance(`${reviewId}acc`) < 0.8 ? "firsthand" : "secondhand",
		severity,
		assurance: chance(`${reviewId}as`) < 0.2 ? "false" : "unknown",
		staff: severity === "none" ? "accommodated" : pick(`${reviewId}st`, ["dismissive", "none", "none", "refused"]),
	};
}

export function reviewOf(business: Business, index: number): Review {
	const id = `${business.id}-r${index}`;
	const t = truth(id);
	const year = 2016 + (hash(`${id}y`) % 6);
	const month = 1 + (hash(`${id}m`) % 12);
	const dayOfMonth = 1 + (hash(`${id}d`) % 28);
	let text =
		`${pick(`${id}o`, openings)} ${t.relevant ? incidents[t.severity]! : ""} ${pick(`${id}e`, closings)}`.replace(
			"  ",
			" ",
		);
	if (index === 7) text = `<script>alert("no")</script> & <b>bold</b> 🍤 ${text}`;
	if (index === 11) text = "المكان جميل والخدمة ممتازة، لكن لدي حساسية من الفول السوداني ولم يسأل أحد.";
	return {
		id,
		position: index + 1,
		date: `${year}-${String(month).padStart(2, "0")}-${String(dayOfMonth).padStart(2, "0")}`,
		stars: 1 + (hash(`${id}*`) % 5),
		useful: hash(`${id}u`) % 14,
		text,
	};
}

export interface Vote {
	model: string;
	run: number;
	weight: number;
	relevant: boolean;
	values: (string | null)[];
}

export interface Judgment {
	review: Review;
	votes: Vote[];
	relevant: boolean;
	values: (string | null)[];
	agreeing: number[];
	counted: number[];
	tied: boolean[];
}

const ensemble = [
	{ model: "gpt-5-mini", run: 1, weight: 2 },
	{ model: "gpt-5-nano", run: 1, weight: 1 },
	{ model: "gpt-5-nano", run: 2, weight: 1 },
	{ model: "gpt-5-nano", run: 3, weight: 1 },
];

/** The review under one topic: four votes, and what they settle to. Topics differ by a shift of the story. */
export function judge(business: Business, index: number, topic: string): Judgment {
	const review = reviewOf(business, index);
	const t = topic === "G1_allergy" ? truth(review.id) : truth(`${topic}${review.id}`);
	const votes = ensemble.map((e) => {
		const name = `${topic}${review.id}${e.model}${e.run}`;
		const wrong = chance(`${name}w`) < (e.model === "gpt-5-mini" ? 0.06 : 0.16);
		const severity = wrong ? pick(`${name}sv`, severities) : t.severity;
		const lost = chance(`${name}lost`) < 0.01;
		return {
			...e,
			relevant: t.relevant,
			values: [t.account, severity, lost ? null : t.assurance, wrong && chance(`${name}x`) < 0.4 ? "unknown" : t.staff],
		};
	});
	const settled = [0, 1, 2, 3].map((f) => settle(votes, f));
	return {
		review,
		votes,
		relevant: t.relevant,
		values: settled.map((s) => s.value),
		agreeing: settled.map((s) => s.agreeing),
		counted: settled.map((s) => s.counted),
		tied: settled.map((s) => s.tied),
	};
}

function settle(votes: Vote[], field: number) {
	const weights = new Map<string, number>();
	let counted = 0;
	for (const v of votes) {
		const value = v.values[field];
		if (!v.relevant || value == null) continue;
		weights.set(value, (weights.get(value) ?? 0) + v.weight);
		counted += v.weight;
	}
	const ranked = [...weights].sort((a, b) => b[1] - a[1]);
	const top = ranked[0];
	return {
		value: top?.[0] ?? null,
		agreeing: top?.[1] ?? 0,
		counted,
		tied: ranked[1]?.[1] === top?.[1] && ranked.length > 1,
	};
}
