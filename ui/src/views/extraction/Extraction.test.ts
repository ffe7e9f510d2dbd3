// @vitest-environment happy-dom
import { fireEvent, render, screen, waitFor } from "@testing-library/svelte";
import { beforeEach, expect, test } from "vitest";
import { useBackend } from "../../lib/backend";
import { createFake, type Fake, type FakeOptions } from "../../lib/backend/fake";
import { app } from "../../lib/state/app.svelte";
import { extraction, searchTopics } from "../../lib/state/extraction.svelte";
import { route, selection } from "../../lib/state/route.svelte";
import Extraction from "./Extraction.svelte";

const now = 1_795_353_600;
let fake: Fake;

async function open(options: FakeOptions = {}) {
	fake = createFake({ now: () => now, ...options });
	useBackend(fake);
	await app.start();
	render(Extraction);
	await settled();
}
const settled = () => waitFor(() => expect(screen.getByTestId("estimate").dataset.counting).toBe("false"));
const text = (id: string) => screen.getByTestId(id).textContent?.replace(/\s+/g, " ").trim();
const choose = (id: string) => fireEvent.click(screen.getByTestId(id).querySelector("input")!);

beforeEach(() => {
	selection.dataset = null;
	selection.topic = null;
	extraction.forget();
	extraction.k = 25;
	extraction.other = false;
	extraction.typedK = "";
	extraction.search = "";
	extraction.canary = true;
	route.view = { page: "extraction" };
});

test("the estimate shows each step of its arithmetic", async () => {
	await open();
	expect([text("est-reviews"), text("est-needed"), text("est-known"), text("est-requests")]).toEqual([
		"2,490",
		"9,960",
		"0",
		"9,960",
	]);
	expect(text("send")).toContain("Send 9,960 requests for $1.79");
});

test("it follows K, presets and free", async () => {
	await open();
	await choose("k-50");
	await settled();
	expect(text("est-requests")).toBe("18,984");
	await choose("k-other");
	const field = screen.getByTestId("k-input");
	await fireEvent.input(field, { target: { value: "10" } });
	await settled();
	expect(text("est-requests")).toBe("4,000");
	await fireEvent.input(field, { target: { value: "0" } });
	expect(screen.getByTestId<HTMLButtonElement>("send").disabled).toBe(true);
	expect(text("send")).toBe("Give K as a number from 1");
});

test("votes that are known are not asked again, and nothing missing opens results", async () => {
	await open();
	await choose("topic-G1_dietary");
	await choose("topic-G1_allergy");
	await choose("k-50");
	await settled();
	expect([text("est-known"), text("est-requests")]).toEqual(["− 18,984", "0"]);
	expect(text("send")).toBe("Open results");
	await choose("k-100");
	await settled();
	expect(text("est-requests")).toBe(((8515 - 4746) * 4).toLocaleString("en"));
});

test("all topics go in one plan, and each says what it adds", async () => {
	await open();
	await fireEvent.click(screen.getByTestId("topics-all"));
	await settled();
	const topics = screen.getByTestId("est-topics");
	expect(topics.querySelectorAll(".in1").length).toBe(18);
	// What is known of a topic is not asked again: the parts add up to the whole.
	const parts = [...topics.querySelectorAll(".in1v")].map((e) =>
		Number.parseInt((e.textContent ?? "").replaceAll(",", ""), 10),
	);
	expect(parts.reduce((a, n) => a + n, 0)).toBe(Number(text("est-requests").replaceAll(",", "")));
	expect(new Set(parts).size).toBeGreaterThan(1);
});

test("several topics, and the ensemble's runs, multiply the requests", async () => {
	await open();
	await choose("topic-G2_group");
	await settled();
	expect(text("est-requests")).toBe("19,920");
	await fireEvent.click(screen.getByLabelText("Votes of gpt-5-nano on each review: less"));
	await settled();
	expect(text("est-requests")).toBe("14,940");
	expect(extraction.preset).toBe("Custom");
});

test("nothing is sent before the dialog that states the price, and it is sent once", async () => {
	await open();
	await fireEvent.click(screen.getByTestId("send"));
	expect(text("confirm-usd")).toBe("about $1.79");
	expect(text("confirm-send")).toContain("Send for $1.79");
	expect(fake.calls.some((c) => c.command === "extractionStart")).toBe(false);
	const confirm = screen.getByTestId("confirm-send");
	await Promise.all([fireEvent.click(confirm), fireEvent.click(confirm)]);
	await waitFor(() => expect(route.view.page).toBe("runs"));
	expect(fake.calls.filter((c) => c.command === "extractionStart")).toHaveLength(1);
});

test("cancel sends nothing", async () => {
	await open();
	await fireEvent.click(screen.getByTestId("send"));
	await fireEvent.click(screen.getByTestId("confirm-cancel"));
	expect(screen.queryByTestId("confirm")).toBeNull();
	expect(fake.calls.some((c) => c.command === "extractionStart")).toBe(false);
});

test("what is being sent is not called back by closing the dialog", async () => {
	await open();
	await fireEvent.click(screen.getByTestId("send"));
	const real = fake.commands.extractionStart;
	let go = () => {};
	fake.commands.extractionStart = async (...args) => {
		await new Promise<void>((done) => {
			go = done;
		});
		return real(...args);
	};
	await fireEvent.click(screen.getByTestId("confirm-send"));
	expect(screen.getByTestId<HTMLButtonElement>("confirm-cancel").disabled).toBe(true);
	await fireEvent(screen.getByTestId("confirm"), new Event("cancel", { cancelable: true }));
	expect(text("confirm-send")).toContain("Sending…");
	go();
	await waitFor(() => expect(route.view.page).toBe("runs"));
});

test("the dialog does not come back by itself when its plan is gone and another is counted", async () => {
	await open();
	await fireEvent.click(screen.getByTestId("send"));
	extraction.estimate = null;
	await waitFor(() => expect(screen.getByTestId("confirm")).toBeTruthy());
	await fireEvent.click(screen.getByTestId("confirm-cancel"));
	await choose("k-50");
	await settled();
	expect(screen.queryByTestId("confirm")).toBeNull();
});

test("on demand says its own price, time and what closing does", async () => {
	await open();
	extraction.mode = "onDemand";
	await settled();
	await waitFor(() => expect(text("est-usd")).toBe("$3.59"));
	expect(text("est-other-mode")).toBe("$1.79 as a batch");
	expect(text("est-time")).toBe("1 to 7 h");
	await fireEvent.click(screen.getByTestId("send"));
	expect(text("confirm")).toContain("the full price; as a batch it is about $1.79");
	expect(text("confirm-mode")).toContain("If you quit, the rest is asked next time.");
	await fireEvent.click(screen.getByTestId("confirm-cancel"));
	extraction.mode = "batch";
});

test("Ctrl Enter confirms, a held key does not", async () => {
	await open();
	await fireEvent.click(screen.getByTestId("send"));
	const dialog = screen.getByTestId("confirm");
	await fireEvent.keyDown(dialog, { key: "Enter", ctrlKey: true, repeat: true });
	expect(fake.calls.some((c) => c.command === "extractionStart")).toBe(false);
	await fireEvent.keyDown(dialog, { key: "Enter", ctrlKey: true });
	await waitFor(() => expect(fake.calls.filter((c) => c.command === "extractionStart")).toHaveLength(1));
});

test("a plan that changed meanwhile is shown again and asks again", async () => {
	await open();
	await fireEvent.click(screen.getByTestId("send"));
	fake.failNext("extractionStart", "planChanged");
	await fireEvent.click(screen.getByTestId("confirm-send"));
	await screen.findByTestId("plan-changed");
	expect(route.view.page).toBe("extraction");
	await fireEvent.click(screen.getByTestId("confirm-send"));
	await waitFor(() => expect(route.view.page).toBe("runs"));
});

test("above the budget it says by how much and passes the consent on", async () => {
	await open();
	await choose("k-200");
	await settled();
	expect(text("budget-left")).toMatch(/above today's budget/);
	expect(text("send")).toMatch(/^Allow \$[\d.]+ and send…/);
	await fireEvent.click(screen.getByTestId("send"));
	expect(text("confirm-budget")).toMatch(/^This run may use the \$[\d.]+\. It stops and asks you/);
	await fireEvent.click(screen.getByTestId("confirm-send"));
	await waitFor(() => expect(route.view.page).toBe("runs"));
	const started = fake.calls.find((c) => c.command === "extractionStart");
	expect(started?.args[1]).toBeGreaterThan(7.62);
});

test("what live runs will still cost is not left of the budget", async () => {
	await open();
	await choose("k-25");
	await settled();
	expect(text("budget-left")).toMatch(/left today$/);
	app.state = { ...app.state!, outstandingUsd: 7.6 };
	await waitFor(() => expect(text("budget-left")).toMatch(/above today's budget/));
	await fireEvent.click(screen.getByTestId("send"));
	expect(text("confirm-budget")).toMatch(/^This run may use the/);
});

test("above the budget each of several topics is held to its own estimate, and that is said", async () => {
	await open();
	await fireEvent.click(screen.getByTestId("topics-all"));
	await settled();
	await fireEvent.click(screen.getByTestId("send"));
	expect(text("confirm-budget")).toMatch(/^Of the \$[\d.]+ each topic may use its own estimate\. Its run stops/);
});

test("another price is counted for all to see, whoever changed it", async () => {
	await open();
	const before = text("est-usd");
	await fake.commands.modelEdit("gpt-5-mini", "outputUsd", "500");
	await app.loadModels();
	await waitFor(() => expect(text("est-usd")).not.toBe(before));
	await settled();
});

test("who has chosen no topic keeps none when votes arrive", async () => {
	await open();
	const [chosen] = extraction.topics;
	await choose(`topic-${chosen}`);
	expect(text("topics-chosen")).toBe("0 of 18");
	await app.loadTopics();
	await waitFor(() => expect(text("send")).toBe("Choose a topic"));
	expect(text("topics-chosen")).toBe("0 of 18");
});

test("the sum is read out once it has settled, not at each step on the way", async () => {
	await open();
	await waitFor(() => expect(text("est-said")).toBe(text("est-usd")));
	const said = text("est-said");
	await choose("k-50");
	await settled();
	expect(text("est-usd")).not.toBe(said);
	expect(text("est-said")).toBe(said);
	expect(screen.getByTestId("est-usd").hasAttribute("aria-live")).toBe(false);
});

test("the sandbox costs nothing and says so", async () => {
	await open({ scenario: "sandbox" });
	expect(text("est-usd")).toBe("No cost");
	expect(text("send")).toContain("Send 1,200 requests, no cost");
	await fireEvent.click(screen.getByTestId("send"));
	expect(screen.queryByTestId("confirm-usd")).toBeNull();
});

test("without a key the estimate works, and the sandbox is one click away", async () => {
	await open();
	await fake.commands.keyClear();
	await app.refresh();
	await waitFor(() => expect(text("send")).toBe("Add a key to send"));
	await fireEvent.click(screen.getByTestId("try-sandbox"));
	await waitFor(() => expect(text("send")).toContain("no cost"));
});

test("offline, the estimate still works and sending is queued", async () => {
	await open({ scenario: "offline" });
	expect(text("send")).toContain("Queue for $1.79, sends when online");
});

test("an estimate that fails says why, with the program's own words", async () => {
	fake = createFake({ now: () => now });
	useBackend(fake);
	await app.start();
	fake.failNext("planEstimate", "storeFailed", "The votes could not be read.");
	render(Extraction);
	await waitFor(() => expect(screen.getByTestId("error").textContent).toContain("The votes could not be read."));
	expect(screen.getByTestId<HTMLButtonElement>("send").disabled).toBe(true);
	await fireEvent.click(screen.getByText("Try again"));
	await settled();
	expect(text("est-requests")).toBe("9,960");
});

test("search looks in names and in questions", async () => {
	await open();
	expect(searchTopics(app.topics, "reaction").map((t) => t.topic)).toEqual(["G1_allergy"]);
	await fireEvent.input(screen.getByTestId("topic-search"), { target: { value: "hygi" } });
	expect(screen.queryByTestId("topic-G1_allergy")).toBeNull();
	expect(screen.getByTestId("topic-G1_hygiene")).toBeTruthy();
	await fireEvent.input(screen.getByTestId("topic-search"), { target: { value: "zzz" } });
	expect(screen.getByText(/No topic matches/)).toBeTruthy();
});

test("another model is asked for what is missing of one that ends, and its votes stay", async () => {
	await open();
	extraction.topics = ["G1_allergy"];
	await waitFor(() => expect(text("est-known")).toBe("− 9,960"));
	const select = screen.getByTestId<HTMLSelectElement>("replace-gpt-5-nano");
	expect([...select.options].map((o) => o.value)).toEqual(["", "gpt-6-luna", "gpt-5.1"]);
	await fireEvent.change(select, { target: { value: "gpt-6-luna" } });
	await settled();
	expect(text("est-known")).toBe("− 9,960");
	expect(text("replaced-gpt-6-luna")).toContain("asked for what gpt-5-nano has not answered");
	expect(extraction.request?.ensemble.at(-1)).toEqual({
		model: "gpt-6-luna",
		runs: 3,
		weight: 1,
		replaces: ["gpt-5-nano"],
	});
	expect(screen.queryByTestId("replace-gpt-5-nano")).toBeNull();
	await fireEvent.click(screen.getByTestId("restore-gpt-6-luna"));
	await settled();
	expect(screen.getByTestId("member-gpt-5-nano")).toBeTruthy();
});

test("the trial is on, says what it saves, and without it what is at stake", async () => {
	await open();
	expect(text("trial-words")).toContain("gpt-5-mini and gpt-5-nano have not answered this yet");
	expect(text("trial-words")).toContain("that costs 8 requests and not 9,960");
	await fireEvent.click(screen.getByTestId("trial-on"));
	await settled();
	expect(text("trial-words")).toContain("all 9,960 requests are at stake: hours, and up to $1.79");
	expect(extraction.request?.canary).toBe(false);
});

test("the sandbox costs nothing, so nothing is tried first", async () => {
	await open({ scenario: "sandbox" });
	expect(screen.queryByTestId("trial")).toBeNull();
});
