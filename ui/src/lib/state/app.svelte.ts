// What every page shares: the program's state, datasets, topics, models, settings. Filled by commands, kept fresh by events.

import {
	type ApiError,
	type AppState,
	backend,
	call,
	type DatasetSummary,
	type ModelList,
	type NotificationSettings,
	type Outcome,
	type Settings,
	type TopicSummary,
} from "../backend";
import { selection } from "./route.svelte";
import { toasts } from "./toasts.svelte";

const refreshMsMin = 1000;

/** What is to be changed; all else stays as it is stored. */
export type SettingsChange = Partial<Omit<Settings, "notifications">> & {
	notifications?: Partial<NotificationSettings>;
};

const changed = (settings: Settings, change: SettingsChange): Settings => ({
	...settings,
	...change,
	notifications: { ...settings.notifications, ...change.notifications },
});

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
	/** Of today's budget, after what is spent and what live runs will still cost; `null` without a budget, below 0 where it is exceeded. */
	budgetLeftUsd = $derived.by(() => {
		const s = this.state;
		return s === null || s.budgetDayUsd === null ? null : s.budgetDayUsd - s.spentTodayUsd - s.outstandingUsd;
	});
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

	#datasetsAsked = 0;
	#topicsAsked = 0;
	/** Changes on their way, oldest first; what is shown runs ahead of what is stored by these. */
	#unsaved: SettingsChange[] = [];
	#stored: Settings | null = null;
	#saving: Promise<ApiError | null> = Promise.resolve(null);
	#refreshAt = 0;
	#refreshTimer: ReturnType<typeof setTimeout> | null = null;

	async start(): Promise<void> {
		const [state, settings, models] = await Promise.all([
			call(backend().commands.appState()),
			call(backend().commands.settingsGet()),
			call(backend().commands.modelList()),
		]);
		// What cannot be opened fails all of them alike.
		if (!state.ok) {
			this.problem = state.error;
			return;
		}
		this.problem = null;
		if (settings.ok) this.settings = this.#stored = settings.data;
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
		const asked = ++this.#datasetsAsked;
		const r = await call(backend().commands.datasetList());
		// Whoever asked later gets the newer list.
		if (asked !== this.#datasetsAsked) return;
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
		const asked = ++this.#topicsAsked;
		const r = await call(backend().commands.topicList(selection.dataset));
		// Another dataset may have been chosen meanwhile: its coverage is not this one's.
		if (asked !== this.#topicsAsked) return;
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

	/** Shows a change at once and stores it after those before it; what is refused is shown as it was again. */
	async saveSettings(change: SettingsChange): Promise<ApiError | null> {
		if (!this.settings) return null;
		this.#unsaved.push(change);
		this.settings = changed(this.settings, change);
		const saved = this.#saving.then(() => this.#saveNext());
		this.#saving = saved;
		return saved;
	}

	async #saveNext(): Promise<ApiError | null> {
		// On top of what is stored now: choosing a provider, for one, writes settings too.
		const stored = await call(backend().commands.settingsGet());
		const change = this.#unsaved[0] ?? {};
		const saved = stored.ok ? await call(backend().commands.settingsSet(changed(stored.data, change))) : stored;
		this.#unsaved.shift();
		if (stored.ok) this.#stored = saved.ok ? saved.data : stored.data;
		if (this.#stored) this.settings = this.#unsaved.reduce(changed, this.#stored);
		if (!saved.ok) return saved.error;
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
