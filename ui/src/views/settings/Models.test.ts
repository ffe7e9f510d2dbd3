// @vitest-environment happy-dom
import { fireEvent, screen, waitFor } from "@testing-library/svelte";
import { expect, test } from "vitest";
import { openApp, textOf } from "../../test-views";

async function openModels() {
	const fake = await openApp();
	await fireEvent.keyDown(window, { key: ",", ctrlKey: true });
	await screen.findByTestId("models");
	return fake;
}

const field = (testid: string) => screen.getByTestId<HTMLInputElement>(testid);

async function type(testid: string, value: string) {
	await fireEvent.input(field(testid), { target: { value } });
	await fireEvent.change(field(testid));
}

test("an edited price is marked, estimates go by it, and reset brings the shipped one back", async () => {
	const fake = await openModels();
	expect(field("model-outputUsd-gpt-5-mini").value).toBe("2");
	expect(screen.queryByTestId("model-reset-gpt-5-mini")).toBeNull();
	await type("model-outputUsd-gpt-5-mini", "20");
	await screen.findByTestId("model-reset-gpt-5-mini");
	expect(field("model-outputUsd-gpt-5-mini").getAttribute("aria-label")).toBe("Output price of gpt-5-mini, yours");
	const listed = await fake.commands.modelList();
	expect(listed.status === "ok" && listed.data.models.find((m) => m.model === "gpt-5-mini")?.outputUsd).toBe(10);
	await fireEvent.click(screen.getByTestId("model-reset-gpt-5-mini"));
	await waitFor(() => expect(field("model-outputUsd-gpt-5-mini").value).toBe("2"));
	expect(screen.queryByTestId("model-reset-gpt-5-mini")).toBeNull();
});

test("what is refused stays in its field with the reason, and Esc brings the kept value back", async () => {
	await openModels();
	await type("model-inputUsd-gpt-5.1", "-3");
	const error = await screen.findByTestId("model-error-gpt-5.1");
	expect(error.textContent).toContain("`-3` is not a price");
	const cell = field("model-inputUsd-gpt-5.1");
	expect([cell.value, cell.getAttribute("aria-invalid"), cell.getAttribute("aria-describedby")]).toEqual([
		"-3",
		"true",
		error.id,
	]);
	await fireEvent.keyDown(cell, { key: "Escape" });
	expect(screen.queryByTestId("model-error-gpt-5.1")).toBeNull();
	expect(field("model-inputUsd-gpt-5.1").value).toBe("1.25");
	await type("model-shutdownDate-gpt-5.1", "soon");
	expect((await screen.findByTestId("model-error-gpt-5.1")).textContent).toContain("give YYYY-MM-DD");
	await type("model-shutdownDate-gpt-5.1", "2027-06-30");
	await waitFor(() => expect(screen.queryByTestId("model-error-gpt-5.1")).toBeNull());
});

test("a learned allowance says so and can be told otherwise", async () => {
	const fake = await openModels();
	expect(field("model-queueTokens-gpt-5-nano").value).toBe("2000000");
	await fireEvent.click(screen.getByTestId("model-more-gpt-5-nano"));
	expect(textOf("model-detail-gpt-5-nano")).toContain("what the provider said when it refused a batch");
	await type("model-queueTokens-gpt-5-nano", "20,000,000");
	await waitFor(() => expect(field("model-queueTokens-gpt-5-nano").value).toBe("20000000"));
	expect(textOf("model-detail-gpt-5-nano")).not.toContain("refused a batch");
	await fireEvent.click(screen.getByTestId("model-json_schema-gpt-5-nano"));
	await waitFor(() => expect(textOf("model-detail-gpt-5-nano")).toContain("What it takes is your word"));
	expect(fake.calls.filter((c) => c.command === "modelEdit").at(-1)?.args).toEqual([
		"gpt-5-nano",
		"parameters",
		"reasoning_effort",
	]);
	await fireEvent.click(screen.getByTestId("models-reset-all"));
	await waitFor(() => expect(field("model-queueTokens-gpt-5-nano").value).toBe(""));
});

test("what a reset takes can be brought back", async () => {
	await openModels();
	await type("model-outputUsd-gpt-5-mini", "20");
	await screen.findByTestId("model-reset-gpt-5-mini");
	await fireEvent.click(screen.getByTestId("models-reset-all"));
	await waitFor(() => expect(textOf("undo-bar")).toContain("All models reset"));
	expect(field("model-outputUsd-gpt-5-mini").value).toBe("2");
	expect(field("model-queueTokens-gpt-5-nano").value).toBe("");
	await fireEvent.click(screen.getByTestId("undo"));
	await waitFor(() => expect(field("model-outputUsd-gpt-5-mini").value).toBe("20"));
	expect(field("model-queueTokens-gpt-5-nano").value).toBe("2000000");
});

test("a model of a compatible server is added with its prices, and can be removed and had back", async () => {
	await openModels();
	await fireEvent.click(screen.getByTestId("model-add"));
	const fill = (testid: string, value: string) => fireEvent.input(field(testid), { target: { value } });
	await fill("model-add-name", "llama-4");
	await fill("model-add-input", "one");
	await fill("model-add-output", "2");
	await fireEvent.submit(screen.getByTestId("model-add-form"));
	expect((await screen.findByTestId("error")).textContent).toContain("`one` is not a price");
	await fill("model-add-input", "0.5");
	await fireEvent.submit(screen.getByTestId("model-add-form"));
	await waitFor(() => expect(field("model-inputUsd-llama-4").value).toBe("0.5"));
	expect(screen.queryByTestId("model-add-form")).toBeNull();
	await fireEvent.click(screen.getByTestId("model-reset-llama-4"));
	await waitFor(() => expect(screen.queryByTestId("model-llama-4")).toBeNull());
	expect(textOf("undo-bar")).toContain("llama-4 removed");
	await fireEvent.click(screen.getByTestId("undo"));
	await waitFor(() => expect(field("model-outputUsd-llama-4").value).toBe("2"));
});

test("models about to be shut down are named, and the provider is asked only on a click", async () => {
	const fake = await openModels();
	expect(textOf("models-soon")).toContain("gpt-5-mini and gpt-5-nano shut down within 60 days");
	expect(fake.calls.some((c) => c.command === "modelsAsk")).toBe(false);
	await fireEvent.click(screen.getByTestId("models-ask"));
	await waitFor(() => expect(screen.getByTestId("models-ask").parentElement?.textContent).toMatch(/ Asked /));
});
