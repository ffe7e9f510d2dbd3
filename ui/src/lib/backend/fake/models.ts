// The fake's model table: the shipped values of the plans, and edits over them that refuse what the program refuses.

import type { ModelEdit, ModelField, ModelList, ModelReset, ModelRow, ModelTable, ModelTaken } from "../bindings";
import { refuse } from "./errors";
import { models as shipped } from "./plan";

const prices: ModelField[] = ["inputUsd", "cachedUsd", "writeUsd", "outputUsd"];

function shippedRow(m: ModelList["models"][number]): ModelRow {
	return {
		model: m.model,
		inputUsd: m.inputUsd * 2,
		cachedUsd: m.inputUsd / 5,
		writeUsd: m.inputUsd * 2,
		outputUsd: m.outputUsd * 2,
		shutdownDate: m.shutdownDate,
		shutdownAnnounced: false,
		reasoningTokens: 320,
		queueTokens: null,
		queueLearned: false,
		parameters: ["json_schema", "reasoning_effort"],
		edited: [],
		own: false,
		listed: null,
	};
}

export class FakeModels {
	#rows = shipped.models.map(shippedRow);
	#askedAt: number | null = null;

	/** A provider that refused a batch has told its allowance. */
	learn(model: string, tokens: number): void {
		const row = this.#row(model);
		row.queueTokens = tokens;
		row.queueLearned = true;
	}

	table(): ModelTable {
		return { models: this.#rows, shippedAsOf: "2026-11-18", askedAt: this.#askedAt };
	}

	/** What a new extraction goes by: prices with the batch discount. */
	list(): ModelList {
		return {
			...shipped,
			models: this.#rows.map((m) => ({
				model: m.model,
				inputUsd: m.inputUsd / 2,
				outputUsd: m.outputUsd / 2,
				shutdownDate: m.shutdownDate,
			})),
		};
	}

	edit(model: string, field: ModelField, value: string): ModelTable {
		const row = this.#row(model);
		const wrong = (words: string): never => refuse("invalidInput", words, { safe: "The table is unchanged." });
		const none = value === "" || value === "none";
		if (field === "writeUsd" && none) row.writeUsd = row.inputUsd;
		else if (prices.includes(field)) {
			const usd = value === "" ? Number.NaN : Number(value);
			if (!(usd >= 0 && usd <= 100000))
				wrong(`input_usd: \`${value}\` is not a price; give US dollars per million tokens as a number.`);
			Object.assign(row, { [field]: usd });
		} else if (field === "shutdownDate") {
			if (!none && Number.isNaN(Date.parse(`${value}T00:00:00Z`)))
				wrong(`shutdown_date: \`${value}\` is not a day; give YYYY-MM-DD, such as 2026-12-11, or none.`);
			row.shutdownDate = none ? null : value;
		} else if (field === "parameters") row.parameters = none ? [] : value.split(",");
		else {
			const tokens = value.replaceAll(",", "");
			if (!(field === "queueTokens" && none) && !/^\d+$/.test(tokens))
				wrong(`queue_tokens: \`${value}\` is not a number of tokens.`);
			if (field === "queueTokens")
				Object.assign(row, { queueTokens: none ? null : Number(tokens), queueLearned: false });
			else row.reasoningTokens = Number(tokens);
		}
		const was = shipped.models.map(shippedRow).find((m) => m.model === model);
		row.edited = row.edited.filter((f) => f !== field);
		if (JSON.stringify(was?.[field]) !== JSON.stringify(row[field])) row.edited.push(field);
		return this.table();
	}

	add(model: string, edits: ModelEdit[]): ModelTable {
		const unchanged = { safe: "The table is unchanged." };
		const name = model.trim();
		if (this.#rows.some((m) => m.model === name)) refuse("invalidInput", `${name} is in the table already.`, unchanged);
		if (!name || /\s/.test(name))
			refuse(
				"invalidInput",
				`\`${name}\` is not a model's name; it is one word without \`,\`, \`:\` and \`=\`.`,
				unchanged,
			);
		const before = this.#rows;
		const bare = { ...shippedRow(shipped.models[0]!), model: name, own: true, shutdownDate: null, reasoningTokens: 0 };
		this.#rows = [...before, { ...bare, parameters: ["json_schema"] }];
		try {
			for (const e of edits) this.edit(name, e.field, e.value);
		} catch (refused) {
			this.#rows = before;
			throw refused;
		}
		return this.table();
	}

	reset(model: string | null): ModelReset {
		if (model) this.#row(model);
		const fresh = shipped.models.map(shippedRow);
		const gone = this.#rows.filter((m) => model === null || m.model === model);
		const taken = gone
			.filter((m) => m.edited.length > 0 || m.queueLearned)
			.map((m) => ({
				model: m.model,
				edits: m.edited.map((field) => ({ field, value: String(m[field] ?? "none") })),
				learned: m.queueLearned ? [{ provider: "https://api.openai.com/v1", tokens: String(m.queueTokens) }] : [],
			}));
		this.#rows = this.#rows.flatMap((m) => (gone.includes(m) ? fresh.filter((f) => f.model === m.model) : [m]));
		return { table: this.table(), taken };
	}

	restore(taken: ModelTaken[]): ModelTable {
		for (const t of taken) {
			if (!this.#rows.some((m) => m.model === t.model)) this.add(t.model, t.edits);
			for (const e of t.edits) this.edit(t.model, e.field, e.value);
			for (const l of t.learned) this.learn(t.model, Number(l.tokens));
		}
		return this.table();
	}

	ask(now: number): ModelTable {
		this.#askedAt = now;
		for (const row of this.#rows) row.listed = true;
		return this.table();
	}

	#row(model: string): ModelRow {
		return this.#rows.find((m) => m.model === model) ?? refuse("notFound", `There is no model ${model} in the table.`);
	}
}
