// What every page shares: the program's state, datasets, topics, models, settings. Filled by commands, kept fresh by events.

import {
	type ApiError,
	type AppState,
	backend,
	call,
	type DatasetSummary,
	type ModelList,
	type Outcome,
	type Settings,
	type TopicSummary,
} from "../backend";
import { selection } from "./route.svelte";
import { toasts } from "./toasts.svelte";

const refreshMsMin = 1000;

class App {
	state = $state.raw<AppState | null>(null);
	datasets = $state.raw<DatasetSummary[]>([]);
	topics = $state.raw<TopicSummary[]>([]);
	models = $state.raw<ModelList | null>(null);
	settings = $state.raw<Settings | null>(null);
	/** The program could not be reached or its data not opened: nothing else can be shown. */
	problem = $state.raw<ApiError | null>(null);

	dataset = $derived(this.datasets.find((d) => d.dataset === selection.dataset) ?? null);
	sandbox = $derived(this.state?.provider.kind === "sandbox");
	offline = $derived(this.state?.connection.state === "offline");
	providerName = $derived.by(() => {
		const p = this.state?.provider;
		if (!p) return "the provider";
		if (p.kind === "openai") return "OpenAI";
		if (p.kind === "sandbox") return "the sandbox";
		try {
			return new URL(p.url).host;
		} catch {
			return p.url;
		}
	});
	topicName = (topic: string): string => this.topics.find((t) => t.topic === topic)?.name ?? topic;

	#refreshAt = 0;
	#refreshTimer: ReturnType<typeof setTimeout> | null = null;

	async start(): Promise<void> {
		const state = await call(backend().commands.appState());
		if (!state.ok) {
			this.problem = state.error;
			return;
		}
		this.problem = null;
		const [settings, models] = await Promise.all([
			call(backend().commands.settingsGet()),
			call(backend().commands.modelList()),
		]);
		if (settings.ok) this.settings = settings.data;
		else toasts.fail(settings.error);
		if (models.ok) this.models = models.data;
		else toasts.fail(models.error);
		await this.loadDatasets();
		// Last, as pages start to draw with it.
		this.state = state.data;
	}

	/** Again after the model table was edited. */
	async loadModels(): Promise<void> {
		const r = await call(backend().commands.modelList());
		if (r.ok) this.models = r.data;
		else toasts.fail(r.error);
	}

	async loadDatasets(): Promise<void> {
		const r = await call(backend().commands.datasetList());
		if (!r.ok) {
			toasts.fail(r.error);
			return;
		}
		this.datasets = r.data;
		if (!this.dataset) selection.dataset = [...r.data].sort((a, b) => b.importedAt - a.importedAt)[0]?.dataset ?? null;
		await this.loadTopics();
	}

	/** Again after a run has ended, as coverage follows votes. */
	async loadTopics(): Promise<void> {
		const r = await call(backend().commands.topicList(selection.dataset));
		if (!r.ok) {
			toasts.fail(r.error);
			return;
		}
		this.topics = r.data;
		if (!selection.topic || !r.data.some((t) => t.topic === selection.topic)) {
			const asked = r.data.filter((t) => t.coverage?.votes);
			const first = asked[0] ?? r.data[0];
			selection.topic = first?.topic ?? null;
			selection.k = first?.coverage?.completeK ?? 25;
		}
	}

	chooseDataset(dataset: string): void {
		selection.dataset = dataset;
		selection.topic = null;
		void this.loadTopics();
	}

	async refresh(): Promise<void> {
		this.#refreshAt = Date.now();
		const r = await call(backend().commands.appState());
		if (r.ok) this.state = r.data;
		else toasts.fail(r.error);
	}

	/** At most once a second, however many events ask for it. */
	refreshSoon(): void {
		if (this.#refreshTimer) return;
		const wait = Math.max(0, this.#refreshAt + refreshMsMin - Date.now());
		this.#refreshTimer = setTimeout(() => {
			this.#refreshTimer = null;
			void this.refresh();
		}, wait);
	}

	/** Takes over the state that a command returned; its error goes back to the caller. */
	take(outcome: Outcome<AppState>): ApiError | null {
		if (!outcome.ok) return outcome.error;
		this.state = outcome.data;
		return null;
	}

	async saveSettings(change: Partial<Settings>): Promise<ApiError | null> {
		if (!this.settings) return null;
		const r = await call(backend().commands.settingsSet({ ...this.settings, ...change }));
		if (!r.ok) return r.error;
		this.settings = r.data;
		this.refreshSoon();
		return null;
	}

	async checkNow(): Promise<void> {
		if (!this.state) return;
		this.state = { ...this.state, connection: { ...this.state.connection, checking: true } };
		const r = await call(backend().commands.pollNow());
		if (r.ok) this.state = { ...this.state, connection: { ...r.data, checking: false } };
		else {
			this.state = { ...this.state, connection: { ...this.state.connection, checking: false } };
			toasts.fail(r.error);
		}
	}
}

export const app = new App();
