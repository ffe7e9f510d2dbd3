// Where the window is, and what travels from page to page: dataset, topic, policy and K.

type View =
	| { page: "welcome" }
	| { page: "extraction" }
	| { page: "runs"; run?: string }
	| { page: "results" }
	| { page: "business"; business: string; review?: string }
	| { page: "queue" }
	| { page: "trust" }
	| { page: "catalog"; topic?: string; tab?: string; path?: string }
	| { page: "whatif" }
	| { page: "activity" }
	| { page: "settings"; section?: string };

const historyMax = 50;

class Route {
	view = $state<View>({ page: "welcome" });
	#back: View[] = [];

	go(view: View): void {
		this.#back.push($state.snapshot(this.view) as View);
		if (this.#back.length > historyMax) this.#back.shift();
		this.view = view;
	}

	/** Stays on the page but changes what it shows; Back does not stop here. */
	replace(view: View): void {
		this.view = view;
	}

	back(): void {
		const last = this.#back.pop();
		if (last) this.view = last;
	}
}

export const route = new Route();

export const presetsK = [25, 50, 100, 200];

class Selection {
	dataset = $state<string | null>(null);
	topic = $state<string | null>(null);
	/** Variant, such as V3: it means the same in every topic. */
	variant = $state("V3");
	k = $state(25);
	compare = $state(false);

	/** The next smaller preset, which Results compares with. */
	compareK = $derived(presetsK.filter((k) => k < this.k).at(-1) ?? null);

	step(direction: 1 | -1): void {
		const next = direction > 0 ? presetsK.find((k) => k > this.k) : presetsK.filter((k) => k < this.k).at(-1);
		if (next) this.k = next;
	}
}

export const selection = new Selection();
