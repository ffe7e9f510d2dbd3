import { fireEvent, screen, waitFor } from "@testing-library/svelte";
import { describe, expect, test } from "vitest";
import type { GoldLabelRequest } from "../../lib/backend";
import { app } from "../../lib/state/app.svelte";
import { hold, openApp, textOf } from "../../test-views";

const key = (init: KeyboardEventInit) => fireEvent.keyDown(window, init);

async function openTrust() {
	const fake = await openApp();
	await key({ key: "g" });
	await key({ key: "t" });
	await screen.findByTestId("trust");
	return fake;
}

async function drawn() {
	const fake = await openTrust();
	await fireEvent.change(screen.getByTestId("sample-size"), { target: { value: "20" } });
	await fireEvent.click(screen.getByTestId("sample-draw"));
	await screen.findByTestId("labelling");
	return fake;
}

/** Labels the open review as not relevant and waits for the next. */
async function dismiss(nth: number) {
	await key({ key: "2" });
	await waitFor(() => expect(textOf("gold-progress")).toBe(`${nth} of 20`));
}

const labels = (fake: Awaited<ReturnType<typeof openTrust>>) =>
	fake.calls.filter((c) => c.command === "goldLabel").map((c) => c.args[0] as GoldLabelRequest);

describe("trust in the votes", () => {
	test("says each figure in words and what cannot be known, and recommends nothing without labels", async () => {
		await openTrust();
		expect(textOf("trust-figures")).toContain("81 times out of 100");
		expect(textOf("trust-unknown")).toContain("agreement is not truth");
		expect(textOf("trust-evidence")).toBe("Too few labels to choose by");
		expect(textOf("trust-applied")).toBe("Settled by weighted majority");
		expect(textOf("aggregator-dawidSkene")).toContain("not known without labels");
		expect(textOf("run-values")).toContain("Adds nothing that can be seen");
		expect(textOf("verdict-counts")).toContain("Expected");
		await fireEvent.click(screen.getByTestId("question-incident_severity").querySelector("input")!);
		expect(screen.getByTestId("trust-confusion").querySelectorAll("tbody tr").length).toBeGreaterThan(2);
	});

	test("a sample is labelled by keyboard, blind, with undo, and goes on where it was stopped", async () => {
		const fake = await drawn();
		expect(screen.getByTestId("labelling").textContent).not.toMatch(/gpt|weight|vote/i);
		expect(textOf("gold-question")).toBe("Is the review about this topic?");
		await dismiss(1);
		await dismiss(2);
		await key({ key: "u" });
		await waitFor(() => expect(textOf("gold-progress")).toBe("1 of 20"));
		// Relevant: now the fields, one after the other; 0 leaves one open, U goes back.
		await key({ key: "1" });
		const first = textOf("gold-question");
		await key({ key: "2" });
		expect(textOf("gold-question")).not.toBe(first);
		await key({ key: "u" });
		expect(textOf("gold-question")).toBe(first);
		await key({ key: "1" });
		while (textOf("gold-progress") === "1 of 20") await key({ key: "0" });
		const kept = labels(fake).at(-1)!;
		expect(kept.relevant).toBe(true);
		expect(kept.values).toHaveLength(1);
		await key({ key: "Escape" });
		await screen.findByTestId("label-resume");
		expect(textOf("gold-stand")).toContain("2 reviews labelled; from 20 on");
		await fireEvent.click(screen.getByTestId("label-resume"));
		expect(textOf("gold-progress")).toBe("2 of 20");
	});

	test("what the labels taught about each run stands beside the configured weights", async () => {
		await drawn();
		expect(screen.queryByTestId("trust-learned")).toBeNull();
		for (let n = 1; n <= 5; n++) await dismiss(n);
		await key({ key: "Escape" });
		const table = await screen.findByTestId("trust-learned");
		const rows = [...table.querySelectorAll("tbody tr")].map((row) =>
			[...row.children].map((cell) => cell.textContent),
		);
		expect(rows[0]).toEqual(["gpt-5-mini/1", "2", "2.60", "90 %"]);
		expect(rows).toHaveLength(4);
		expect(textOf("trust-blend")).toContain("best single model (0.50)");
	});

	test("with enough labels it recommends with evidence, and the choice is named", async () => {
		const fake = await drawn();
		for (let n = 1; n <= 20; n++) await dismiss(n);
		await fireEvent.click(await screen.findByTestId("gold-stop"));
		await waitFor(() => expect(textOf("trust-evidence")).toBe("Clear evidence"));
		expect(screen.getAllByTestId("trust-recommends").map((w) => w.textContent)[1]).toContain("Dawid–Skene loses here");
		await fireEvent.click(screen.getByTestId("use-stacked"));
		await waitFor(() => expect(textOf("trust-applied")).toBe("Settled by learned blend"));
		expect(fake.calls.some((c) => c.command === "extractionStart")).toBe(false);
	});

	test("a label that cannot be kept is told, and the review is asked again", async () => {
		const fake = await drawn();
		fake.failNext("goldLabel", "diskFull", "The disk is full.");
		await key({ key: "2" });
		expect((await screen.findByTestId("error")).textContent).toContain("The disk is full.");
		expect(textOf("gold-progress")).toBe("0 of 20");
		expect(textOf("gold-question")).toBe("Is the review about this topic?");
	});

	test("answers to a review whose label cannot be kept are not lost", async () => {
		const fake = await drawn();
		await key({ key: "1" });
		fake.failNext("goldLabel", "diskFull", "The disk is full.");
		let last = "";
		for (let i = 0; i < 20 && screen.queryByTestId("error") === null; i++) {
			last = textOf("gold-question");
			await key({ key: "1" });
			await waitFor(() =>
				expect(screen.queryByTestId("error") !== null || textOf("gold-question") !== last).toBe(true),
			);
		}
		// The last question stands open again; the others are answered.
		expect(textOf("gold-question")).toBe(last);
		await key({ key: "1" });
		await waitFor(() => expect(textOf("gold-progress")).toBe("1 of 20"));
		const kept = labels(fake).at(-1);
		expect(kept?.values.length).toBeGreaterThan(1);
	});

	test("a part that cannot be worked out hides no other", async () => {
		const fake = await openApp();
		fake.failNext("verdictCertainties", "storeFailed", "The votes cannot be read.");
		fake.failNext("ensembleAdvice", "storeFailed", "The votes cannot be read.");
		await key({ key: "g" });
		await key({ key: "t" });
		// Two parts fail of one cause, which is said once.
		const failed = await screen.findByTestId("trust-failed");
		await waitFor(() => expect(failed.querySelectorAll('[data-testid="error"]')).toHaveLength(1));
		expect(textOf("trust-figures")).toContain("81 times out of 100");
		expect(screen.getByTestId("sample-draw")).toBeTruthy();
		await fireEvent.click(screen.getByTestId("error-retry"));
		await screen.findByTestId("verdict-counts");
		await screen.findByTestId("run-values");
		expect(screen.queryByTestId("trust-failed")).toBeNull();
	});

	test("a report that cannot be worked out does not take the labels away", async () => {
		const fake = await openApp();
		fake.failNext("trustReport", "storeFailed", "The votes cannot be read.");
		await key({ key: "g" });
		await key({ key: "t" });
		await screen.findByTestId("trust-failed");
		expect(screen.getByTestId("sample-draw")).toBeTruthy();
		expect(await screen.findByTestId("verdict-counts")).toBeTruthy();
	});

	test("a topic without votes says so", async () => {
		await openTrust();
		await fireEvent.change(screen.getByTestId("trust-topic"), { target: { value: "G6_loyalty" } });
		await waitFor(() => expect(textOf("trust-none")).toContain("nothing can be said"));
	});

	test("a run that ends leaves the answers to the review that is open", async () => {
		const fake = await drawn();
		await key({ key: "1" });
		const first = textOf("gold-question");
		await key({ key: "2" });
		const second = textOf("gold-question");
		expect(second).not.toBe(first);
		const sessions = () => fake.calls.filter((c) => c.command === "labelSession").length;
		const asked = sessions();
		await app.loadTopics();
		await waitFor(() => expect(sessions()).toBeGreaterThan(asked));
		await waitFor(() => expect(screen.getByTestId("labelling")).toBeTruthy());
		expect(textOf("gold-question")).toBe(second);
		await key({ key: "u" });
		expect(textOf("gold-question")).toBe(first);
	});

	test("what is known is shown while the rest is worked out, and stands at once when one comes back", async () => {
		const fake = await openApp();
		let release = hold(fake, "verdictCertainties");
		await key({ key: "g" });
		await key({ key: "t" });
		await screen.findByTestId("trust-figures");
		expect(textOf("certainties-wait")).toContain("is being worked out");
		release();
		await screen.findByTestId("verdict-counts");
		await fireEvent.click(screen.getByTestId("nav-runs"));
		release = hold(fake, "trustReport");
		await fireEvent.click(screen.getByTestId("nav-trust"));
		expect(textOf("trust-figures")).toContain("81 times out of 100");
		expect(screen.getByTestId("verdict-counts")).toBeTruthy();
		// Another topic's figures are not shown under this one's name.
		await fireEvent.change(screen.getByTestId("trust-topic"), { target: { value: "G6_loyalty" } });
		await waitFor(() => expect(screen.queryByTestId("trust-figures")).toBeNull());
		release();
		await screen.findByTestId("trust-none");
	});
});
