// What every page shares: the program's state, datasets, topics, models, settings. Filled by commands, kept fresh by events.

import {
	type ApiError,
	type AppState,
	backend,
	type Connection,
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
/** Coverage and all that hangs on it is worked out no more often while votes come in. */
const topicsMsMin = 2000;

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
	/** Nothing is charged at the provider in use, and its votes are not mixed with a paid one's: any server on this computer. */
	sandbox = $derived(this.state?.provider.sandbox ?? false);
	/** The provider in use makes its answers up. */
	invented = $derived(this.state?.provider.kind === "sandbox");
	offline = $derived(this.state?.connection.state === "offline");
	/** Of today's budget, after what is spent and what live runs will still cost; `null` without a budget, below 0 where it is exceeded. */
	budgetLeftUsd = $derived.by(() => {
		const s = this.state;
		return s === null || s.budgetDayUsd === null ? null : s.budgetDayUsd - s.spentTodayUsd - s.outstandingUsd;
	});
	providerName = $derived(this.state?.provider.name ?? "the provider");
	/** The person has asked for a check that is not over. Looks that the program takes by itself are not waited for. */
	checking = $state(false);
	/** Counts what changes results beside votes: corrections, gold labels, another aggregator. */
	judged = $state(0);
	topicName = (topic: string): string => this.topics.find((t) => t.topic === topic)?.name ?? topic;

	#datasetsAsked = 0;
	#topicsAsked = 0;
	/** Changes on their way, oldest first; what is shown runs ahead of what is stored by these. */
	#unsaved: SettingsChange[] = [];
	#stored: Settings | null = null;
	#saving: Promise<ApiError | null> = Promise.resolve(null);
	#stateAsked = 0;
	/** What was heard of the connection since the state was asked for: it is newer than an answer that is on its way. */
	#connectionHeard: Connection | null = null;
	#refreshAt = 0;
	#refreshTimer: ReturnType<typeof setTimeout> | null = null;
	#topicsAt = 0;
	#topicsTimer: ReturnType<typeof setTimeout> | null = null;

	async start(): Promise<void> {
		const asked = ++this.#datasetsAsked;
		const datasets = call(backend().commands.datasetList());
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
		await this.#takeDatasets(asked, datasets);
		// Last, as pages start to draw with it.
		this.state = state.data;
	}

	/** Again after the model table was edited. */
	async loadModels(): Promise<void> {
		const r = await call(backend().commands.modelList());
		if (r.ok) this.models = r.data;
		else toasts.fail(r.error);
	}

	/** Again after something else has written settings; changes that are on their way stay on screen. */
	async loadSettings(): Promise<void> {
		const r = await call(backend().commands.settingsGet());
		if (!r.ok) {
			toasts.fail(r.error);
			return;
		}
		this.#stored = r.data;
		this.settings = this.#unsaved.reduce(changed, r.data);
	}

	async loadDatasets(): Promise<void> {
		await this.#takeDatasets(++this.#datasetsAsked, call(backend().commands.datasetList()));
	}

	async #takeDatasets(asked: number, answer: Promise<Outcome<DatasetSummary[]>>): Promise<void> {
		const r = await answer;
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

	/** Again when votes were stored, as coverage and results follow them. */
	async loadTopics(): Promise<void> {
		const asked = ++this.#topicsAsked;
		this.#topicsAt = Date.now();
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

	/** After votes were stored: at most once in two seconds, however many batches come in. */
	loadTopicsSoon(): void {
		if (this.#topicsTimer) return;
		const wait = Math.max(0, this.#topicsAt + topicsMsMin - Date.now());
		this.#topicsTimer = setTimeout(() => {
			this.#topicsTimer = null;
			void this.loadTopics();
		}, wait);
	}

	chooseDataset(dataset: string): void {
		selection.dataset = dataset;
		selection.topic = null;
		void this.loadTopics();
	}

	async refresh(): Promise<void> {
		this.#refreshAt = Date.now();
		const asked = ++this.#stateAsked;
		this.#connectionHeard = null;
		const r = await call(backend().commands.appState());
		if (asked !== this.#stateAsked) return;
		if (r.ok) this.state = { ...r.data, connection: this.#connectionHeard ?? r.data.connection };
		else toasts.fail(r.error);
	}

	heardConnection(connection: Connection): void {
		this.#connectionHeard = connection;
		if (this.state) this.state = { ...this.state, connection };
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

	/** For tests: as if the window had just opened. */
	forget(): void {
		for (const timer of [this.#refreshTimer, this.#topicsTimer]) if (timer) clearTimeout(timer);
		this.#refreshTimer = this.#topicsTimer = null;
		this.state = null;
		this.problem = null;
		this.checking = false;
	}

	/** Takes over the state that a command returned; its error goes back to the caller. */
	take(outcome: Outcome<AppState>): ApiError | null {
		if (!outcome.ok) return outcome.error;
		// A look that began before knows less.
		this.#stateAsked++;
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
		if (this.checking) return;
		this.checking = true;
		const r = await call(backend().commands.pollNow());
		this.checking = false;
		if (r.ok) this.heardConnection(r.data);
		else toasts.fail(r.error);
	}
}

export const app = new App();
