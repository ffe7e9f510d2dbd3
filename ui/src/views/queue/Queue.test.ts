import { fireEvent, screen, waitFor } from "@testing-library/svelte";
import { describe, expect, test } from "vitest";
import { act, useProvider } from "../../lib/state/acts.svelte";
import { app } from "../../lib/state/app.svelte";
import { undo } from "../../lib/state/undo.svelte";
import { openApp, textOf } from "../../test-views";

const key = (init: KeyboardEventInit) => fireEvent.keyDown(window, init);
const chosen = () => screen.getAllByTestId("queue-label").findIndex((l) => l.getAttribute("aria-selected") === "true");

async function openQueue() {
	const fake = await openApp();
	await key({ key: "g" });
	await key({ key: "q" });
	await screen.findByTestId("label");
	return fake;
}

/** The value that stands on second place for the open label, by what the list says. */
const decisions = (fake: Awaited<ReturnType<typeof openQueue>>) =>
	fake.calls.filter((c) => c.command === "overrideSet").map((c) => c.args[0] as Record<string, unknown>);

describe("the review queue", () => {
	test("begins with the label on which most verdicts hang, and says how many do", async () => {
		await openQueue();
		expect(textOf("queue-says")).toMatch(/^\d+ labels in doubt \(below 0\.67\), \d+ of them decides? a verdict$/);
		const headings = [...screen.getByTestId("queue-list").querySelectorAll(".ghead")].map((h) => h.textContent);
		expect(headings[0]).toMatch(/^May flip \d verdicts?$/);
		expect(chosen()).toBe(0);
		expect(document.title).toContain("Review queue");
	});

	test("by value it says what a look is expected to change, when to stop, and what settles the votes", async () => {
		const fake = await openQueue();
		expect(screen.queryByTestId("queue-outlook")).toBeNull();
		expect(textOf("queue-applied")).toBe("What is in doubt is said by weighted majority.");
		await fireEvent.click(screen.getByTestId("order-value").querySelector("input")!);
		await waitFor(() => expect(textOf("queue-outlook")).toContain("verdicts are expected to be wrong"));
		expect(textOf("queue-outlook")).toContain("at most half a verdict");
		const headings = [...screen.getByTestId("queue-list").querySelectorAll(".ghead")].map((h) => h.textContent);
		expect(headings[0]).toMatch(/^(Changes|More likely)/);
		expect(chosen()).toBe(0);
		// After a decision it is weighed again, and the list stays as it is.
		const lists = () => fake.calls.filter((c) => c.command === "queueList").length;
		const asked = lists();
		const rows = screen.getAllByTestId("queue-label").length;
		await key({ key: "a" });
		await waitFor(() => expect(textOf("tally-kept")).toBe("1"));
		await waitFor(() => expect(lists()).toBeGreaterThan(asked));
		expect(screen.getAllByTestId("queue-label").length).toBe(rows);
		await fireEvent.click(screen.getByTestId("order-verdicts").querySelector("input")!);
		await waitFor(() => expect(screen.queryByTestId("queue-outlook")).toBeNull());
	});

	test("A keeps, is recorded, and opens the next; U takes it back", async () => {
		const fake = await openQueue();
		const count = () => textOf("count-queue");
		const before = Number(count());
		await key({ key: "a" });
		await waitFor(() => expect(textOf("tally-kept")).toBe("1"));
		expect(screen.getAllByTestId("queue-label")[0]?.dataset.decided).toBe("true");
		expect(screen.getAllByTestId("queue-label")[0]?.textContent).toContain("kept");
		await waitFor(() => expect(chosen()).toBe(1));
		expect(Number(count())).toBe(before - 1);
		expect(decisions(fake)[0]?.reason).toBeNull();
		await key({ key: "u" });
		await waitFor(() => expect(textOf("tally-kept")).toBe("0"));
		expect(chosen()).toBe(0);
		expect(fake.calls.some((c) => c.command === "overrideUndo")).toBe(true);
	});

	test("a digit chooses a value; the change waits for its reason and tells what it flipped", async () => {
		const fake = await openQueue();
		const options = () => [...screen.getByTestId("label").querySelectorAll<HTMLElement>(".opt")];
		const now = options().findIndex((o) => o.getAttribute("aria-pressed") === "true");
		// Any value that changes a verdict, as the table beneath says.
		const flipping = options().findIndex((o) => {
			const id = o.dataset.testid!.replace("value-", "");
			return textOf(`outcome-${id}`).includes("→");
		});
		expect(flipping).toBeGreaterThanOrEqual(0);
		expect(flipping).not.toBe(now);
		await key({ key: String(flipping + 1) });
		const button = await screen.findByTestId<HTMLButtonElement>("label-change");
		expect(button.disabled).toBe(true);
		await fireEvent.click(button);
		expect(decisions(fake)).toHaveLength(0);
		await fireEvent.input(screen.getByTestId("label-reason"), { target: { value: "the text says so" } });
		await fireEvent.click(button);
		await waitFor(() => expect(textOf("tally-changed")).toBe("1"));
		expect(Number(textOf("tally-flips"))).toBeGreaterThan(0);
		expect(decisions(fake)[0]?.reason).toBe("the text says so");

		await fireEvent.click(screen.getByTestId("queue-trail"));
		const entry = await screen.findByTestId("trail-entry");
		expect(entry.dataset.kind).toBe("changed");
		expect(entry.textContent).toContain("the text says so");
		await fireEvent.click(screen.getByTestId("trail-undo"));
		await waitFor(() => expect(screen.getAllByTestId("trail-entry")[0]?.dataset.kind).toBe("undone"));
		expect(textOf("tally-changed")).toBe("0");
	});

	test("nothing is decided on a label while the next one is read", async () => {
		const fake = await openQueue();
		// Both before the program can answer.
		for (const pressed of ["j", "a"]) window.dispatchEvent(new KeyboardEvent("keydown", { key: pressed }));
		expect(decisions(fake)).toHaveLength(0);
		await waitFor(() => expect(chosen()).toBe(1));
		await waitFor(() => expect(screen.getByTestId("label").dataset.ready).toBe("true"));
		await key({ key: "a" });
		await waitFor(() => expect(decisions(fake)).toHaveLength(1));
	});

	test("J and K move, F looks at another field of the same review", async () => {
		await openQueue();
		await key({ key: "j" });
		await waitFor(() => expect(chosen()).toBe(1));
		await key({ key: "k" });
		await waitFor(() => expect(chosen()).toBe(0));
		const question = textOf("label-question");
		const text = textOf("label-text");
		await key({ key: "f" });
		await waitFor(() => expect(textOf("label-question")).not.toBe(question));
		expect(textOf("label-text")).toBe(text);
	});

	test("Escape drops a chosen value and then leaves", async () => {
		await openQueue();
		const other = screen.getByTestId("label").querySelector<HTMLElement>('.opt[aria-pressed="false"]')!;
		await fireEvent.click(other);
		await screen.findByTestId("label-reason");
		await key({ key: "Escape" });
		expect(screen.queryByTestId("label-reason")).toBeNull();
		expect(screen.getByTestId("page-queue")).toBeTruthy();
		await key({ key: "Escape" });
		await waitFor(() => expect(screen.queryByTestId("page-queue")).toBeNull());
	});

	test("when all is decided it says what came of it", async () => {
		await openQueue();
		const total = Number(textOf("count-queue"));
		for (let n = 1; n <= total; n++) {
			await waitFor(() => expect(screen.getByTestId<HTMLButtonElement>("label-field")).toBeTruthy());
			if (screen.getByTestId<HTMLButtonElement>("label-keep").disabled) {
				await fireEvent.click(screen.getByTestId("label").querySelector(".opt")!);
				await fireEvent.input(screen.getByTestId("label-reason"), { target: { value: "read" } });
				await fireEvent.click(screen.getByTestId("label-change"));
			} else await key({ key: "a" });
			await waitFor(() => expect(Number(textOf("tally-kept")) + Number(textOf("tally-changed"))).toBe(n));
		}
		expect(textOf("queue-done")).toContain("Nothing left to review");
		expect(screen.queryByTestId("count-queue")).toBeNull();
	}, 30_000);

	test("a refused decision stays open and says why", async () => {
		const fake = await openQueue();
		fake.failNext("overrideSet", "diskFull", "The disk is full.");
		await key({ key: "a" });
		expect((await screen.findByTestId("error")).textContent).toContain("The disk is full.");
		expect(textOf("tally-kept")).toBe("0");
		expect(chosen()).toBe(0);
	});

	test("a topic without votes says so", async () => {
		await openQueue();
		await fireEvent.change(screen.getByTestId("queue-topic"), { target: { value: "G6_loyalty" } });
		await waitFor(() => expect(textOf("queue-empty")).toContain("No votes on Loyalty yet"));
	});

	test("a run that ends takes nothing that was chosen or typed", async () => {
		const fake = await openQueue();
		const other = screen.getByTestId("label").querySelector<HTMLElement>('.opt[aria-pressed="false"]')!;
		await fireEvent.click(other);
		await fireEvent.input(await screen.findByTestId("label-reason"), { target: { value: "half a sen" } });
		const lists = () => fake.calls.filter((c) => c.command === "queueLabel").length;
		const asked = lists();
		await app.loadTopics();
		await waitFor(() => expect(lists()).toBeGreaterThan(asked));
		await waitFor(() => expect(screen.getByTestId("label").dataset.ready).toBe("true"));
		expect(screen.getByTestId<HTMLInputElement>("label-reason").value).toBe("half a sen");
		// Nor does a list that cannot be read for once.
		fake.failNext("queueList", "storeFailed", "The votes cannot be read.");
		await app.loadTopics();
		await fireEvent.click(await screen.findByTestId("error-retry"));
		expect((await screen.findByTestId<HTMLInputElement>("label-reason")).value).toBe("half a sen");
	});

	test("what was decided over invented votes is not taken for decided over real ones", async () => {
		const fake = await openQueue();
		await key({ key: "a" });
		await waitFor(() => expect(textOf("tally-kept")).toBe("1"));
		undo.offer({ title: "Something over these votes", back: async () => null });
		await useProvider("sandbox", null);
		await waitFor(() => expect(textOf("tally-kept")).toBe("0"));
		expect(screen.getAllByTestId("queue-label").some((l) => l.dataset.decided === "true")).toBe(false);
		expect(undo.last).toBeNull();
		await key({ key: "u" });
		expect(fake.calls.some((c) => c.command === "overrideUndo")).toBe(false);
	});

	test("the sidebar counts the topic that is chosen, not the one that was open last", async () => {
		await openQueue();
		expect(Number(textOf("count-queue"))).toBeGreaterThan(0);
		act("results");
		await fireEvent.change(await screen.findByTestId("results-topic"), { target: { value: "G6_loyalty" } });
		await waitFor(() => expect(screen.queryByTestId("count-queue")).toBeNull());
	});

	test("Tab reaches one label of the list, and the focus in it follows J and K", async () => {
		await openQueue();
		const stops = () => screen.getAllByTestId("queue-label").filter((l) => l.tabIndex === 0);
		expect(stops()).toEqual([screen.getAllByTestId("queue-label")[0]]);
		stops()[0]?.focus();
		await fireEvent.keyDown(document.activeElement!, { key: "j" });
		await waitFor(() => expect(document.activeElement).toBe(screen.getAllByTestId("queue-label")[1]));
		expect(stops()).toEqual([document.activeElement]);
	});

	test("a label is left as it is by mouse, where the list is not on screen", async () => {
		const fake = await openQueue();
		await fireEvent.click(screen.getByTestId("label-next"));
		await waitFor(() => expect(chosen()).toBe(1));
		await fireEvent.click(screen.getByTestId("label-before"));
		await waitFor(() => expect(chosen()).toBe(0));
		expect(decisions(fake)).toHaveLength(0);
	});
});
