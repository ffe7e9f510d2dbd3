import { cleanup, fireEvent, screen, waitFor } from "@testing-library/svelte";
import { describe, expect, test } from "vitest";
import { openApp, textOf } from "../../test-views";

const open = async () => {
	const fake = await openApp();
	await fireEvent.click(screen.getByTestId("nav-catalog"));
	await screen.findByTestId("questions");
	return fake;
};
const click = (testid: string) => fireEvent.click(screen.getByTestId(testid));
const editor = () => screen.getByTestId("editor") as HTMLTextAreaElement;
const write = (from: string, to: string) => {
	expect(editor().value).toContain(from);
	return fireEvent.input(editor(), { target: { value: editor().value.replace(from, to) } });
};
const enabled = (testid: string) => expect((screen.getByTestId(testid) as HTMLButtonElement).disabled).toBe(false);

describe("the catalog", () => {
	test("is read by topic: questions, answers, policies, and found by a word of a question", async () => {
		await open();
		expect(textOf("questions")).toContain("How bad was the reaction?");
		expect(screen.getByTestId("term-allergy:INCIDENT_SEVERITY")).toBeTruthy();
		await fireEvent.input(screen.getByTestId("catalog-search"), { target: { value: "dirt or illness" } });
		expect(screen.queryByTestId("catalog-G1_allergy")).toBeNull();
		await click("catalog-G1_hygiene");
		await waitFor(() => expect(textOf("questions")).toContain("How bad was the dirt or illness?"));
		await click("tab-V2");
		await screen.findByTestId("editor");
		expect(editor().value).toContain("policy_id: G1_hygiene_V2");
		expect(textOf("file-state")).toBe("Built in");
	});

	test("of words that are kept one after the other the last stay, however slow the first are", async () => {
		const fake = await open();
		await click("tab-V2");
		await screen.findByTestId("editor");
		const stored: string[] = [];
		const release: (() => void)[] = [];
		fake.commands.catalogDraftsKeep = async (changes) => {
			await new Promise<void>((go) => release.push(go));
			stored.push(changes[0]?.text ?? "");
			return { status: "ok", data: null };
		};
		await write("points: 15", "points: 16");
		await waitFor(() => expect(release).toHaveLength(1));
		await write("points: 16", "points: 17");
		await waitFor(() => enabled("catalog-save"));
		expect(release).toHaveLength(1);
		release[0]!();
		await waitFor(() => expect(release).toHaveLength(2));
		release[1]!();
		await waitFor(() => expect(stored).toHaveLength(2));
		expect(stored[1]).toContain("points: 17");
	});

	test("what was typed and not saved is there after quitting", async () => {
		const path = "policies/G1/allergy/V2.yaml";
		const first = await openApp();
		const whole = await first.commands.catalogText(path);
		if (whole.status !== "ok") throw new Error("the file can be read");
		await fireEvent.click(screen.getByTestId("nav-catalog"));
		await screen.findByTestId("questions");
		await click("tab-V2");
		await screen.findByTestId("editor");
		await write("points: 15", "points: 16");
		const kept = async () => {
			const r = await first.commands.catalogDrafts();
			return r.status === "ok" ? r.data : [];
		};
		await waitFor(async () => expect((await kept()).map((d) => d.path)).toEqual([path]));
		const drafts = await kept();
		cleanup();

		const again = await openApp({ drafts });
		await fireEvent.click(screen.getByTestId("nav-catalog"));
		expect((await screen.findByTestId("toast")).textContent).toContain("Edits from last time are here");
		await screen.findByTestId("questions");
		await click("tab-V2");
		await waitFor(() => expect(editor().value).toContain("points: 16"));
		await waitFor(() => enabled("catalog-save"));
		await click("catalog-save");
		await waitFor(async () => {
			const left = await again.commands.catalogDrafts();
			expect(left.status === "ok" && left.data).toEqual([]);
		});
	});

	test("an older reading of the questions does not take the place of a newer one", async () => {
		const fake = await openApp();
		const real = fake.commands.catalogTopic;
		const waiting: (() => void)[] = [];
		fake.commands.catalogTopic = async (topic, changes) => {
			const r = await real(topic, changes);
			await new Promise<void>((go) => waiting.push(go));
			return r;
		};
		await fireEvent.click(screen.getByTestId("nav-catalog"));
		await waitFor(() => expect(waiting).toHaveLength(1));
		await click("catalog-G1_hygiene");
		await waitFor(() => expect(waiting).toHaveLength(2));
		await click("catalog-G1_allergy");
		await waitFor(() => expect(waiting).toHaveLength(3));
		waiting[2]!();
		await waitFor(() => expect(textOf("questions")).toContain("How bad was the reaction?"));
		// The first was asked about the same topic, but is older.
		const shown = screen.getByTestId("questions");
		waiting[0]!();
		waiting[1]!();
		await new Promise((done) => setTimeout(done));
		expect(screen.getByTestId("questions")).toBe(shown);
		expect(textOf("questions")).toContain("How bad was the reaction?");
	});

	test("says what is wrong at which line as one types, and saves nothing that has an error", async () => {
		const fake = await open();
		await click("tab-V2");
		await screen.findByTestId("editor");
		await write("points: 15", "points: many");
		const problem = await screen.findByTestId("problem");
		expect(problem.dataset.severity).toBe("error");
		const line =
			editor()
				.value.split("\n")
				.findIndex((l) => l.includes("many")) + 1;
		expect(textOf("problem")).toContain(`line ${line}`);
		expect(textOf("problem")).toContain("expected a whole number");
		expect((screen.getByTestId("catalog-save") as HTMLButtonElement).disabled).toBe(true);
		await fireEvent.click(problem);
		const { selectionStart, selectionEnd, value } = editor();
		expect(value.slice(selectionStart, selectionEnd)).toContain("points: many");

		await write("points: many", "points: 16");
		await waitFor(() => enabled("catalog-save"));
		expect(screen.getByTestId("no-problems")).toBeTruthy();
		expect(textOf("impact")).toContain("at no cost");
		expect(textOf("copied")).toContain("3 files of the topic come along as copies");
		await click("catalog-save");
		await waitFor(() => expect(textOf("file-state")).toBe("Yours, instead of the built-in file"));
		expect(fake.calls.filter((c) => c.command === "catalogSave").length).toBe(1);
		expect(screen.queryByTestId("catalog-dialog")).toBeNull();
	});

	test("other words of an answer name the stale votes and the price before they are saved", async () => {
		const fake = await open();
		await click("shelf-terms");
		await click("file-terms/allergy.yaml");
		await screen.findByTestId("editor");
		await write("The review says mild.", "The guest felt it for an hour.");
		await screen.findByTestId("votes-stale");
		expect(textOf("change-terms")).toContain("Allergy safety");
		const stale = textOf("votes-stale");
		expect(textOf("reask-usd")).toMatch(/^about \$\d+\.\d\d$/);
		await waitFor(() => enabled("catalog-save"));
		await click("catalog-save");
		await screen.findByTestId("catalog-dialog");
		expect(textOf("catalog-dialog")).toContain(stale);
		await click("catalog-cancel");
		expect(fake.calls.some((c) => c.command === "catalogSave")).toBe(false);
		expect(editor().value).toContain("The guest felt it for an hour.");

		await click("catalog-save");
		await screen.findByTestId("catalog-dialog");
		await click("catalog-confirm");
		await waitFor(() => expect(screen.queryByTestId("catalog-dialog")).toBeNull());
		// The way back asks as well.
		await click("catalog-revert");
		await screen.findByTestId("catalog-dialog");
		await waitFor(() => enabled("catalog-confirm"));
		await click("catalog-confirm");
		await waitFor(() => expect(textOf("file-state")).toBe("Built in"));
		expect(editor().value).toContain("The review says mild.");
	});

	test("edits stay while one looks elsewhere, and show in the prompt before they are saved", async () => {
		await open();
		await click("shelf-terms");
		await click("file-terms/allergy.yaml");
		await screen.findByTestId("editor");
		await write("Says what the review tells of it.", "Says it in a word.");
		await waitFor(() => enabled("catalog-save"));
		await click("nav-runs");
		await click("nav-catalog");
		await click("tab-prompt");
		await waitFor(() => expect(textOf("prompt-system")).toContain("Says it in a word."));
		expect(textOf("prompt-review")).toContain("review 1 of");
		await click("prompt-next");
		await waitFor(() => expect(textOf("prompt-review")).toContain("review 2 of"));
		await fireEvent.input(screen.getByTestId("prompt-business"), { target: { value: "no such place" } });
		expect((await screen.findByTestId("error")).textContent).toContain("no such place");
	});

	test("a folder of one's own is added, listed and removed", async () => {
		await open();
		await click("shelf-yours");
		expect(textOf("yours-empty")).toContain("Nothing is yours yet");
		await click("catalog-add");
		await screen.findByTestId("file-terms/mine.yaml");
		await click("remove-terms/mine.yaml");
		await screen.findByTestId("catalog-dialog");
		await waitFor(() => enabled("catalog-confirm"));
		await click("catalog-confirm");
		await screen.findByTestId("yours-empty");
		await waitFor(() => expect(textOf("undo-bar")).toContain("terms/mine.yaml removed"));
		await click("undo");
		await screen.findByTestId("file-terms/mine.yaml");
	});

	test("edits that were discarded come back with Undo", async () => {
		await open();
		await click("tab-V2");
		await screen.findByTestId("editor");
		await write("points: 15", "points: 16");
		await waitFor(() => enabled("catalog-save"));
		await click("catalog-discard");
		expect(editor().value).toContain("points: 15");
		await click("undo");
		await waitFor(() => expect(editor().value).toContain("points: 16"));
	});

	test("a policy of one's own that no longer reads is named, with the line and the reason", async () => {
		const fake = await openApp();
		await fake.commands.catalogAdd("/home/user/broken");
		await click("nav-catalog");
		await screen.findByTestId("catalog-broken");
		expect(textOf("catalog-broken")).toContain("policies/G1/allergy/V10.yaml, line 4");
		expect(textOf("catalog-broken")).toContain("no term `GONE`");
		await fireEvent.click(screen.getByText("Show"));
		await screen.findByTestId("editor");
		const chosen = () => editor().value.slice(editor().selectionStart, editor().selectionEnd);
		await waitFor(() => expect(chosen()).toContain("allergy:GONE"));
	});

	test("a refused save says why, and the words stay", async () => {
		const fake = await open();
		await click("tab-V3");
		await screen.findByTestId("editor");
		await write("points: 2", "points: 3");
		await waitFor(() => enabled("catalog-save"));
		fake.failNext("catalogSave", "diskFull", "The disk is full.");
		await click("catalog-save");
		expect((await screen.findByTestId("error")).textContent).toContain("The disk is full.");
		expect(editor().value).toContain("points: 3");
	});
});
