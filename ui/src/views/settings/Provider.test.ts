// What another provider changes: whose votes and prices are shown, and what is said to cost money.

import { fireEvent, screen, waitFor } from "@testing-library/svelte";
import { expect, test } from "vitest";
import { useProvider } from "../../lib/state/acts.svelte";
import { queue } from "../../lib/state/queue.svelte";
import { openApp, textOf } from "../../test-views";

const here = "http://127.0.0.1:4010/v1";
const go = (page: string) => fireEvent.click(screen.getByTestId(`nav-${page}`));

test("a server on this computer costs nothing wherever that is said, and does not invent its answers", async () => {
	await openApp();
	expect(await useProvider("custom", here)).toBeNull();
	await go("extraction");
	await waitFor(() => expect(textOf("send")).toContain("no cost"));
	expect(textOf("est-usd")).toBe("No cost");
	expect(textOf("sandbox-badge")).toBe("On this computer: no cost");
	expect(textOf("estimate")).not.toContain("invented");
	expect(textOf("ladder-prices")).toContain("at list prices");
	expect(screen.queryByTestId("spent")).toBeNull();
	await fireEvent.click(screen.getByTestId("send"));
	expect(textOf("confirm")).toContain("to 127.0.0.1:4010?");
	expect(textOf("confirm")).toContain("It costs nothing.");
	expect(screen.queryByTestId("confirm-usd")).toBeNull();
	await fireEvent.click(screen.getByTestId("confirm-cancel"));
	// Its key can be given: it may want one.
	await go("settings");
	await screen.findByTestId("key-replace");
});

test("what was decided is let go where votes are others, and kept where they are the same", async () => {
	await openApp();
	await go("queue");
	await waitFor(() => expect(queue.ready).toBe(true));
	await queue.keep();
	expect(queue.decided.size).toBe(1);
	await useProvider("custom", here);
	expect(queue.decided.size).toBe(0);
	await waitFor(() => expect(queue.ready).toBe(true));
	await queue.keep();
	expect(queue.decided.size).toBe(1);
	await useProvider("sandbox", null);
	expect(queue.decided.size).toBe(1);
});

test("its models, prices and settings are read anew", async () => {
	const fake = await openApp();
	await go("settings");
	const count = (command: string) => fake.calls.filter((c) => c.command === command).length;
	const before = ["modelList", "settingsGet"].map(count);
	await useProvider("custom", here);
	expect(["modelList", "settingsGet"].map(count)).satisfy((now: number[]) => now.every((n, i) => n > before[i]!));
});

test("a run names the provider that it was sent to, whichever is chosen now", async () => {
	await openApp({ scenario: "offline" });
	await useProvider("custom", "https://llm.example/v1");
	await go("runs");
	expect((await screen.findByTestId("offline-banner")).textContent).toContain("goes on at OpenAI.");
});

test("cancelling names it too", async () => {
	await openApp();
	await useProvider("custom", "https://llm.example/v1");
	await go("runs");
	await screen.findByTestId("run-detail");
	await fireEvent.click(screen.getByTestId("cancel"));
	expect(textOf("cancel-dialog")).toContain("OpenAI also charges");
});
