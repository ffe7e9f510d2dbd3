import { fireEvent, render, screen, waitFor } from "@testing-library/svelte";
import { expect, test } from "vitest";
import type { BusinessDetail, PolicySummary } from "../../lib/backend";
import { createFake } from "../../lib/backend/fake";
import { textWidth } from "../../lib/charts/labels";
import Growth from "./Growth.svelte";
import ReviewList from "./ReviewList.svelte";
import Waterfall from "./Waterfall.svelte";

const none = () => {};

/** A business of the fake with as many incidents and reviews as are wished for, under a policy with as many outcomes. */
async function odd(incidents: number, outcomes: number): Promise<{ detail: BusinessDetail; policy: PolicySummary }> {
	const fake = createFake({ now: () => 1_795_353_600 });
	const query = { dataset: "metro", topic: "G1_allergy", k: 50, compareK: null };
	const overview = await fake.commands.resultsOverview(query);
	if (overview.status !== "ok") throw new Error("no overview");
	const { business } = overview.data.rows.find((r) => r.incidents > 0)!;
	const found = await fake.commands.businessDetail({ ...query, business, policy: "G1_allergy_V3" });
	if (found.status !== "ok") throw new Error("no detail");
	const [incident, review] = [found.data.incidents[0]!, found.data.reviews[0]!];
	const verdicts = Array.from({ length: outcomes }, (_, i) => `Outcome number ${i + 1}`);
	return {
		policy: { ...found.data.policies[3]!.summary, verdicts, worstFirst: false },
		detail: {
			...found.data,
			cuisineModifier: null,
			score: incidents,
			incidents: Array.from({ length: incidents }, (_, i) => ({ ...incident, reviewId: `r${i}`, weightedPoints: 1 })),
			reviews: Array.from({ length: incidents }, (_, i) => ({
				...review,
				reviewId: `r${i}`,
				position: i + 1,
				relevant: true,
			})),
			thresholds: verdicts.slice(1).map((_, i) => ({ verdictIndex: i + 1, bound: "min" as const, points: 2 + i })),
		},
	};
}

test("the labels of twelve outcomes do not touch", async () => {
	const { detail, policy } = await odd(4, 12);
	render(Waterfall, { detail, policy, open: null, onopen: none });
	const boxes = screen.getAllByTestId("threshold-label").map((l) => {
		const [left, foot] = [Number.parseFloat(l.style.left), Number.parseFloat(l.style.bottom)];
		return { left, right: left + textWidth(l.textContent ?? ""), foot };
	});
	expect(boxes).toHaveLength(11);
	for (const [i, a] of boxes.entries())
		for (const b of boxes.slice(i + 1))
			expect(a.foot !== b.foot || a.right <= b.left || b.right <= a.left, JSON.stringify([a, b])).toBe(true);
});

test("nor do those of the growth", async () => {
	const { detail, policy } = await odd(4, 12);
	render(Growth, { detail, policy });
	const texts = [...screen.getByTestId("growth").querySelectorAll("text")].filter((t) =>
		t.textContent?.includes("Outcome"),
	);
	const places = texts.map((t) => Number(t.getAttribute("y"))).sort((a, b) => a - b);
	expect(places).toHaveLength(11);
	for (const [i, y] of places.slice(1).entries()) expect(y - places[i]!).toBeGreaterThanOrEqual(12);
});

test("of thousands of incidents only those in view exist, and the open one is in view", async () => {
	const { detail, policy } = await odd(5000, 3);
	const { rerender } = render(Waterfall, { detail, policy, open: null, onopen: none });
	const drawn = () => screen.getAllByTestId("incident");
	expect(drawn().length).toBeLessThan(60);
	await rerender({ open: "r4000" });
	await waitFor(() => expect(drawn().some((i) => i.getAttribute("aria-current") === "true")).toBe(true));
	expect(drawn().length).toBeLessThan(60);
	expect(screen.getByTestId("score").textContent).toBe("5,000");
});

test("of thousands of reviews only those in view exist", async () => {
	const { detail } = await odd(5000, 3);
	render(ReviewList, { detail, open: null, onopen: none });
	await fireEvent.click(screen.getByTestId("all-reviews"));
	const box = screen.getByTestId("review-rows");
	expect(screen.getAllByTestId("review-row").length).toBeLessThan(60);
	box.scrollTop = 32 * 4000;
	await fireEvent.scroll(box);
	await waitFor(() => expect(screen.getAllByTestId("review-row").length).toBeLessThan(60));
	expect(Number.parseFloat((box.firstElementChild as HTMLElement).style.height)).toBeGreaterThan(32 * 3900);
});
