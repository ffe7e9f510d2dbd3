// Where cue words stand in a review. The text is data: it is cut into plain pieces, never turned into markup.

export interface Piece {
	text: string;
	cue: boolean;
}

const wordCharacter = /[\p{L}\p{N}]/u;

/** Cuts the text at whole-word, case-insensitive occurrences of the cues; longer cues win over shorter ones. */
export function cuePieces(text: string, cues: string[]): Piece[] {
	const spans = cueSpans(text, cues);
	const pieces: Piece[] = [];
	let at = 0;
	for (const [start, end] of spans) {
		if (start > at) pieces.push({ text: text.slice(at, start), cue: false });
		pieces.push({ text: text.slice(start, end), cue: true });
		at = end;
	}
	if (at < text.length) pieces.push({ text: text.slice(at), cue: false });
	return pieces;
}

function cueSpans(text: string, cues: string[]): [number, number][] {
	const lower = text.toLowerCase();
	// Some letters change length with their case; then positions would not match, and nothing is marked.
	if (lower.length !== text.length) return [];
	const found: [number, number][] = [];
	for (const cue of [...new Set(cues.map((c) => c.toLowerCase().trim()))].filter(Boolean)) {
		for (let i = lower.indexOf(cue); i >= 0; i = lower.indexOf(cue, i + 1)) {
			const before = text[i - 1];
			const after = text[i + cue.length];
			if (before && wordCharacter.test(before)) continue;
			if (after && wordCharacter.test(after)) continue;
			found.push([i, i + cue.length]);
		}
	}
	found.sort((a, b) => a[0] - b[0] || b[1] - a[1]);
	const kept: [number, number][] = [];
	for (const span of found) {
		const last = kept.at(-1);
		if (last && span[0] < last[1]) last[1] = Math.max(last[1], span[1]);
		else kept.push([...span]);
	}
	return kept;
}
