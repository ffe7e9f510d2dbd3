// Where labels stand so that none touches another.

/** About how wide a text of 11 px is. */
export const textWidth = (text: string): number => 6.6 * text.length;

/** Places in ascending order, each at least `gap` from the one before, between two ends and as near to what was wanted as that allows. */
export function spread(wanted: number[], gap: number, from: number, to: number): number[] {
	const places: number[] = [];
	for (const w of wanted) places.push(Math.max(w, (places.at(-1) ?? from - gap) + gap));
	let most = to;
	for (let i = places.length - 1; i >= 0; i--) {
		places[i] = Math.min(places[i]!, most);
		most = places[i]! - gap;
	}
	return places;
}

interface Laned {
	/** Left end. */
	x: number;
	/** 0 is the lowest. */
	lane: number;
}

/** Labels centred on their marks, in as many lanes as they need; those at the ends stay inside. */
export function lanes(labels: { at: number; width: number }[], length: number, gap = 8): Laned[] {
	const ends: number[] = [];
	return labels.map(({ at, width }) => {
		const x = Math.max(0, Math.min(length - width, at - width / 2));
		let lane = ends.findIndex((end) => end + gap <= x);
		if (lane < 0) lane = ends.length;
		ends[lane] = x + width;
		return { x, lane };
	});
}
