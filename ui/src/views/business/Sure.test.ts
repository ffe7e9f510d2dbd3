import { fireEvent, screen, waitFor } from "@testing-library/svelte";
import { describe, expect, test } from "vitest";
import { hold, openApp, textOf } from "../../test-views";

async function openBusiness() {
	const fake = await openApp();
	await fireEvent.click(screen.getByTestId("nav-results"));
	await waitFor(() => expect(textOf("results-applied")).toBe("Settled by weighted majority"));
	await fireEvent.click((await screen.findAllByTestId("results-row"))[0]!);
	await screen.findByTestId("sure");
	return fake;
}

describe("how certain a verdict is", () => {
	test("is said in words, as a bar that is read out, with the review that could flip it", async () => {
		const fake = await openBusiness();
		expect(textOf("sure-says")).toMatch(/is more likely than not: 70 in 100\.$/);
		expect(screen.getByTestId("sure").querySelector("[role=img]")?.getAttribute("aria-label")).toContain(": 70 in 100");
		const fills = [...screen.getByTestId("sure").querySelectorAll<HTMLElement>("[role=img] i")].map(
			(i) => i.style.background,
		);
		expect(fills.length).toBeGreaterThan(1);
		for (const fill of fills) expect(fill).toMatch(/^var\(--v\d-fill\)$/);
		expect(textOf("sure-flips")).toBe("Could flip it: review 1 (20 in 100).");
		expect(textOf("business-applied")).toBe("Votes settled by weighted majority.");
		const read = fake.calls.filter((c) => c.command === "reviewDetail").length;
		await fireEvent.click(screen.getByTestId("sure-flip"));
		await waitFor(() => {
			const asked = fake.calls.filter((c) => c.command === "reviewDetail");
			expect(asked.length).toBeGreaterThan(read);
			const last = asked.at(-1)?.args[0] as { reviewId: string } | undefined;
			expect(last?.reviewId).toMatch(/::0$/);
		});
	});

	test("a failure to weigh leaves the rest of the page", async () => {
		const fake = await openApp();
		await fireEvent.click(screen.getByTestId("nav-results"));
		fake.failNext("businessCertainty", "storeDamaged", "The gold labels cannot be read.");
		await fireEvent.click((await screen.findAllByTestId("results-row"))[0]!);
		expect((await screen.findByTestId("error")).textContent).toContain("The gold labels cannot be read.");
		expect(screen.getByTestId("because")).toBeTruthy();
	});

	test("counts to be expected stand with the charts", async () => {
		await openApp();
		await fireEvent.click(screen.getByTestId("nav-results"));
		await fireEvent.click(await screen.findByTestId("look-charts"));
		expect((await screen.findByTestId("verdict-counts")).textContent).toContain("Expected");
	});

	test("that of another K is not shown under this one, and another policy needs no new one", async () => {
		const fake = await openBusiness();
		const asked = () => fake.calls.filter((c) => c.command === "businessCertainty").length;
		const before = asked();
		await fireEvent.click(screen.getByTestId("tab-V1"));
		await waitFor(() => expect(screen.queryByTestId("waterfall")).toBeNull());
		expect(screen.getByTestId("sure")).toBeTruthy();
		expect(asked()).toBe(before);
		const release = hold(fake, "businessCertainty");
		await fireEvent.click(screen.getByTestId("results-k-25").querySelector("input")!);
		await screen.findByTestId("sure-waits");
		expect(screen.queryByTestId("sure")).toBeNull();
		release();
		await screen.findByTestId("sure");
	});

	test("is weighed anew when one comes back: labels may have changed on other pages", async () => {
		const fake = await openBusiness();
		const asked = () => fake.calls.filter((c) => c.command === "businessCertainty").length;
		const before = asked();
		await fireEvent.click(screen.getByTestId("nav-queue"));
		await screen.findByTestId("label");
		await fireEvent.keyDown(window, { key: "Escape" });
		await screen.findByTestId("sure");
		expect(asked()).toBe(before + 1);
	});
});
