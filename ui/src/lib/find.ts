// Finding words: in what a list is about, and in what a page shows.

/** Whether every word of the wish occurs in the text, in any letter case and order. */
export function hasWords(text: string, wish: string): boolean {
	const low = text.toLowerCase();
	return wish
		.toLowerCase()
		.split(/\s+/)
		.every((word) => low.includes(word));
}

/** Where a text has these words as they stand, in any letter case. */
export function placesOf(text: string, wish: string): number[] {
	const wanted = wish.trim().toLowerCase();
	const low = text.toLowerCase();
	// Some letters change their length with their case; their places would be off.
	if (wanted === "" || low.length !== text.length) return [];
	const places: number[] = [];
	for (let at = low.indexOf(wanted); at >= 0; at = low.indexOf(wanted, at + wanted.length)) places.push(at);
	return places;
}

/** More than anyone steps through. */
const rangesMax = 2000;

/** What closed menus hold and what is written for screen readers only can be neither marked nor scrolled to; a field's text is its own. */
const unseen = "select, textarea, .sr, [hidden]";

const isSeen = (element: Element): boolean =>
	element.closest(unseen) === null &&
	// Older web views do not know the first; what is laid out nowhere has no boxes there.
	(element.checkVisibility?.({ visibilityProperty: true }) ?? element.getClientRects().length > 0);

/** Every place below the element where the text is seen, in reading order. A match does not cross elements. */
export function rangesOf(root: Node, wish: string): Range[] {
	const found: Range[] = [];
	const length = wish.trim().length;
	if (length === 0) return found;
	const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
	for (let node = walker.nextNode(); node && found.length < rangesMax; node = walker.nextNode()) {
		const places = placesOf(node.textContent ?? "", wish);
		if (places.length === 0 || !node.parentElement || !isSeen(node.parentElement)) continue;
		for (const at of places.slice(0, rangesMax - found.length)) {
			const range = document.createRange();
			range.setStart(node, at);
			range.setEnd(node, at + length);
			found.push(range);
		}
	}
	return found;
}
