import { fireEvent, screen, waitFor } from "@testing-library/svelte";
import { describe, expect, test } from "vitest";
import { hold, openApp, textOf } from "../../test-views";

async function openReview() {
	const fake = await openApp();
	await fireEvent.click(screen.getByTestId("nav-results"));
	await fireEvent.click((await screen.findAllByTestId("results-row"))[0]!);
	await fireEvent.click(await screen.findByTestId("review-correct"));
	await screen.findByTestId("correct");
	return fake;
}

const choose = (testid: string, value: string) => fireEvent.change(screen.getByTestId(testid), { target: { value } });
const save = () => screen.getByTestId<HTMLButtonElement>("correct-save");

describe("correcting a label", () => {
	test("needs a value and a reason, and can be undone from its toast", async () => {
		const fake = await openReview();
		await choose("correct-field", "incident_severity");
		const now = textOf("correct-now");
		const other = now === "mild" ? "severe" : "mild";
		await choose("correct-value", other);
		expect(save().disabled).toBe(true);
		await fireEvent.input(screen.getByTestId("correct-reason"), { target: { value: "read it again" } });
		expect(save().disabled).toBe(false);
		await fireEvent.click(save());
		await waitFor(() => expect(textOf("toast")).toContain(`Severity is now “${other}”`));
		expect(screen.queryByTestId("correct")).toBeNull();
		const asked = fake.calls.find((c) => c.command === "overrideSet")?.args[0];
		expect(asked).toMatchObject({ field: "incident_severity", value: other, reason: "read it again", k: 50 });
		const read = fake.calls.filter((c) => c.command === "businessDetail").length;
		await fireEvent.click(screen.getByTestId("toast-action"));
		await waitFor(() => expect(fake.calls.some((c) => c.command === "overrideUndo")).toBe(true));
		await waitFor(() => expect(fake.calls.filter((c) => c.command === "businessDetail").length).toBe(read + 1));
	});

	test("is not closed while it is being stored, so that a failure is told", async () => {
		const fake = await openReview();
		await choose("correct-field", "is_relevant");
		await choose("correct-value", textOf("correct-now") === "Relevant" ? "false" : "true");
		await fireEvent.input(screen.getByTestId("correct-reason"), { target: { value: "off topic" } });
		fake.failNext("overrideSet", "diskFull", "The disk is full.");
		const release = hold(fake, "overrideSet");
		await fireEvent.click(save());
		await fireEvent(screen.getByTestId("correct"), new Event("cancel", { cancelable: true }));
		release();
		await waitFor(() => expect(screen.getByTestId("correct").textContent).toContain("The disk is full."));
	});

	test("a refusal stays in the dialog", async () => {
		const fake = await openReview();
		await choose("correct-field", "is_relevant");
		await choose("correct-value", textOf("correct-now") === "Relevant" ? "false" : "true");
		await fireEvent.input(screen.getByTestId("correct-reason"), { target: { value: "off topic" } });
		fake.failNext("overrideSet", "diskFull", "The disk is full.");
		await fireEvent.click(save());
		await waitFor(() => expect(screen.getByTestId("correct").textContent).toContain("The disk is full."));
	});
});
