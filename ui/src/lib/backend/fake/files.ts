// The fake's catalog as YAML files: enough of the reader to be wrong at a line, and of the arithmetic to make votes stale.

import type {
	CatalogChange,
	CatalogCheck,
	CatalogFile,
	CatalogImpact,
	CatalogOverview,
	CatalogProblem,
	CatalogText,
	CatalogTopic,
	PromptQuery,
	RenderedPrompt,
	TopicChange,
	TopicSummary,
} from "../bindings";
import { topicById, topics } from "./catalog";
import { refuse } from "./errors";
import type { FakeDataset } from "./story";
import { reviewOf } from "./world";

const domainOf = (topic: string) => topic.split("_").slice(1).join("_");
const libraryPath = (topic: string) => `terms/${domainOf(topic)}.yaml`;
const policyPath = (topic: string, variant: string) =>
	`policies/${topic.split("_")[0]}/${domainOf(topic)}/${variant}.yaml`;

function libraryText(t: TopicSummary): string {
	return t.fields
		.map(
			(f) =>
				`${f.field.toUpperCase()}:\n  name: ${f.label}\n  question: ${f.question}\n  type: enum\n  description: Says what the review tells of it.\n  values:\n${f.values.map((v) => `    - id: "${v.id}"\n      label: ${v.label}\n      description: The review says ${v.label}.\n      cues: [said ${v.label}]`).join("\n")}\n`,
		)
		.join("");
}

function policyText(t: TopicSummary, variant: string): string {
	const refs = t.fields.map((f) => `    - ref: ${domainOf(t.topic)}:${f.field.toUpperCase()}`).join("\n");
	const scoring =
		variant < "V2"
			? ""
			: "  scoring:\n    severity_points:\n      - label: Mild incident\n        points: 2\n      - label: Severe incident\n        points: 15\n";
	return `policy_id: ${t.topic}_${variant}\nversion: "1.0"\noverview:\n  title: ${t.title}\n  purpose: How safe it is to eat here.\nnormative:\n  terms:\n${refs}\n${scoring}decision:\n  verdicts: [${t.policies[0]!.verdicts.join(", ")}]\n  ordered: true\n`;
}

const builtin = new Map<string, string>(
	topics.flatMap((t) => [
		[libraryPath(t.topic), libraryText(t)] as [string, string],
		...t.policies.map((p) => [policyPath(t.topic, p.variant), policyText(t, p.variant)] as [string, string]),
	]),
);

const topicOf = (path: string) =>
	topics.find((t) => path === libraryPath(t.topic) || path.startsWith(policyPath(t.topic, "").replace(".yaml", "")));

/** The lines of values' descriptions: what a term's hash is made of. */
const hashed = (text: string) =>
	text
		.split("\n")
		.filter((l) => /^\s{4,}(- id|description):/.test(l))
		.join("\n");

export class FakeCatalog {
	yours = new Map<string, string>();

	constructor(private readonly datasetOf: (id: string) => FakeDataset) {}

	private edited(changes: CatalogChange[]): { files: Map<string, string>; copied: string[] } {
		const files = new Map(this.yours);
		const copied: string[] = [];
		for (const { path, text } of changes) {
			const back = text ?? (files.has(path) ? (builtin.get(path) ?? null) : null);
			if (back === null) files.delete(path);
			else files.set(path, back);
		}
		for (const { path } of changes) {
			const t = topicOf(path);
			if (!t || !path.startsWith("policies/")) continue;
			const paths = t.policies.map((p) => policyPath(t.topic, p.variant));
			const fresh = !paths.some((p) => this.yours.has(p));
			for (const p of paths.filter((p) => fresh && !files.has(p))) {
				files.set(p, builtin.get(p)!);
				copied.push(p);
			}
			if (paths.every((p) => files.get(p) === builtin.get(p))) for (const p of paths) files.delete(p);
		}
		for (const [path, text] of files) if (path.startsWith("terms/") && builtin.get(path) === text) files.delete(path);
		return { files, copied: copied.filter((p) => files.has(p)) };
	}

	private problems(files: Map<string, string>): CatalogProblem[] {
		const found: CatalogProblem[] = [];
		const terms = new Set<string>();
		for (const [path, text] of new Map([...builtin, ...files])) {
			if (!path.startsWith("terms/")) continue;
			for (const m of text.matchAll(/^([A-Z_]+):/gm)) terms.add(`${path.slice(6, -5)}:${m[1]}`);
		}
		for (const [path, text] of files)
			text.split("\n").forEach((line, i) => {
				const say = (severity: CatalogProblem["severity"], message: string, column = 1) =>
					found.push({ file: path, line: i + 1, column, severity, message });
				const ref = /ref: (\S+)/.exec(line);
				if (line.includes("\t")) say("error", "not readable as YAML: found a tab where spaces are expected");
				if (ref && !terms.has(ref[1]!))
					say(
						"error",
						`the library of the domain \`${ref[1]!.split(":")[0]}\` has no term \`${ref[1]!.split(":")[1]}\``,
						ref.index + 6,
					);
				const points = /points: (\S+)/.exec(line);
				if (points && !/^-?\d+$/.test(points[1]!))
					say("error", `expected a whole number as \`points\`, found \`${points[1]}\``);
				const odd = /^ {2}(\w+):/.exec(line);
				if (odd?.[1] === "colour") say("warning", "`colour` is not a known key here; it is not read");
			});
		return found;
	}

	private changesOf(files: Map<string, string>): TopicChange[] {
		const text = (of: Map<string, string>, path: string) => of.get(path) ?? builtin.get(path) ?? "";
		const broken = new Set(
			this.problems(files)
				.filter((p) => p.severity === "error")
				.map((p) => topicOf(p.file)?.topic),
		);
		return topics.flatMap((t): TopicChange[] => {
			const of = (kind: TopicChange["kind"]) => [{ topic: t.topic, name: t.name, kind }];
			if (broken.has(t.topic)) return of("removed");
			const library = libraryPath(t.topic);
			const [before, after] = [text(this.yours, library), text(files, library)];
			if (hashed(before) !== hashed(after)) return of("terms");
			if (before !== after) return of("prompt");
			const differs = t.policies.some((p) => {
				const path = policyPath(t.topic, p.variant);
				return text(this.yours, path) !== text(files, path);
			});
			return differs ? of("policies") : [];
		});
	}

	overview = (): CatalogOverview => ({
		files: [...new Map([...builtin, ...this.yours])]
			.sort(([a], [b]) => (a < b ? -1 : 1))
			.map(([path, text]): CatalogFile => {
				const t = topicOf(path);
				const isPolicy = path.startsWith("policies/");
				return {
					path,
					kind: isPolicy ? "policy" : path.startsWith("terms/") ? "terms" : "other",
					domain: isPolicy ? null : path.slice(6, -5),
					topic: isPolicy ? (t?.topic ?? null) : null,
					variant: isPolicy ? (/(V\d+)\.yaml$/.exec(path)?.[1] ?? null) : null,
					yours: this.yours.has(path),
					changed: this.yours.has(path) && builtin.has(path) && builtin.get(path) !== text,
					builtin: builtin.has(path),
				};
			}),
		problems: this.problems(this.yours),
	});

	/** A file of one's own stands for this policy. */
	has = (topic: string, variant: string): boolean => this.yours.has(policyPath(topic, variant));

	text = (path: string): CatalogText => ({
		path,
		text: this.yours.get(path) ?? builtin.get(path) ?? refuse("notFound", `The catalog has no file ${path}.`, {}),
		builtin: builtin.get(path) ?? null,
	});

	check = (changes: CatalogChange[]): CatalogCheck => {
		const { files, copied } = this.edited(changes);
		const problems = this.problems(files);
		return {
			problems,
			errors: problems.filter((p) => p.severity === "error").length,
			topics: this.changesOf(files),
			copied,
		};
	};

	impact = (dataset: string, changes: CatalogChange[]): CatalogImpact => {
		const d = this.datasetOf(dataset);
		const hit = this.changesOf(this.edited(changes).files).filter((c) => c.kind === "terms" && d.known.has(c.topic));
		const parts = hit.map(({ topic, name }) => {
			const k = d.known.get(topic)!.k;
			const requests = d.businesses.reduce((a, b) => a + Math.min(k, b.reviews), 0) * 4;
			return { topic, name, votesStale: requests, votesKnown: 0, k, requests, usd: requests * 0.0003 };
		});
		const sum = (f: (p: (typeof parts)[number]) => number) => parts.reduce((a, p) => a + f(p), 0);
		return {
			topics: parts,
			votesStale: sum((p) => p.votesStale),
			requests: sum((p) => p.requests),
			usd: sum((p) => p.usd),
			liveRuns: 0,
		};
	};

	save = (changes: CatalogChange[]): CatalogOverview => {
		const { files } = this.edited(changes);
		const errors = this.problems(files).filter((p) => p.severity === "error");
		if (errors.length)
			refuse("invalidInput", "The catalog would have an error.", {
				detail: errors.map((p) => `${p.file}:${p.line}: ${p.message}`).join("\n"),
				safe: "Nothing was saved; the catalog is as it was.",
			});
		this.yours = files;
		return this.overview();
	};

	add = (dir: string): CatalogOverview => {
		if (!dir.startsWith("/")) refuse("notFound", `The catalog in ${dir} cannot be read.`, {});
		if (dir.includes("broken"))
			this.yours.set(
				"policies/G1/allergy/V10.yaml",
				"policy_id: G1_allergy_V10\nnormative:\n  terms:\n    - ref: allergy:GONE\n",
			);
		else this.yours.set("terms/mine.yaml", "NOISE:\n  name: Noise\n  values: [quiet, loud]\n");
		return this.overview();
	};

	topic = (id: string, changes: CatalogChange[]): CatalogTopic => {
		const t = topicById.get(id);
		const { files } = this.edited(changes);
		if (!t || this.changesOf(files).some((c) => c.topic === id && c.kind === "removed"))
			refuse("notFound", `With these edits the catalog has no topic ${id}.`, {
				action: "Mend the errors that are listed.",
			});
		return {
			topic: id,
			title: t.title,
			purpose: "How safe it is to eat here.",
			relevant: "The review tells of it.",
			notRelevant: "It is not mentioned.",
			terms: t.fields.map((f) => ({
				reference: `${domainOf(id)}:${f.field.toUpperCase()}`,
				domain: domainOf(id),
				name: f.label,
				question: f.question,
				description: "Says what the review tells of it.",
				values: f.values.map((v) => ({ ...v, description: `The review says ${v.label}.`, cues: [`said ${v.label}`] })),
			})),
			policies: t.policies.map((summary) => ({
				summary,
				purpose: "How safe it is to eat here.",
				incidentDefinition: "A reaction, or an allergen served.",
			})),
		};
	};

	prompt = (query: PromptQuery, changes: CatalogChange[]): RenderedPrompt => {
		const topic = this.topic(query.topic, changes);
		const { files } = this.edited(changes);
		const library = files.get(libraryPath(query.topic)) ?? builtin.get(libraryPath(query.topic));
		const d = query.dataset ? this.datasetOf(query.dataset) : null;
		const part = query.business?.trim().toLowerCase() ?? "";
		const business = d?.businesses.find((b) => b.id === query.business || b.name.toLowerCase().includes(part));
		if (d && !business) refuse("notFound", `No business of ${d.name} with reviews is called "${query.business}".`, {});
		const place = business ? Math.min(Math.max(1, query.place), business.reviews) : 0;
		const user = business
			? `<review fence="0f9a">\n${reviewOf(business, place - 1).text}\n</review fence="0f9a">`
			: null;
		return {
			system: `You read one customer review of a business and fill in a fixed form about it.\n\n# Topic: ${topic.title}\n${library}`,
			user,
			answer: JSON.stringify({ type: "object", properties: { is_relevant: { type: "boolean" } } }, null, 2),
			fixedTokens: 690,
			reviewTokens: user ? 40 : 0,
			review: business
				? { business: business.id, name: business.name, place, reviews: business.reviews, cut: false }
				: null,
		};
	};
}
