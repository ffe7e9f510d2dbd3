// Finding words: in what a list is about, and in what a page shows.

/** Whether every word of the wish occurs in the text, in any letter case and order. */
export function hasWords(text: string, wish: string): boolean {
	const low = text.toLowerCase();
	return wish
		.toLowerCase()
		.split(/\s+/)
		.every((word) => low.includes(word));
}

/** More than anyone steps through. */
const rangesMax = 2000;

/** Every place below the element where the text is shown, in reading order. A match does not cross elements. */
export function rangesOf(root: Node, wish: string): Range[] {
	const wanted = wish.trim().toLowerCase();
	const found: Range[] = [];
	if (wanted === "") return found;
	const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
	for (let node = walker.nextNode(); node && found.length < rangesMax; node = walker.nextNode()) {
		const text = (node.textContent ?? "").toLowerCase();
		// Some letters change their length with their case; their places would be off.
		if (text.length !== (node.textContent ?? "").length) continue;
		for (
			let at = text.indexOf(wanted);
			at >= 0 && found.length < rangesMax;
			at = text.indexOf(wanted, at + wanted.length)
		) {
			const range = document.createRange();
			range.setStart(node, at);
			range.setEnd(node, at + wanted.length);
			found.push(range);
		}
	}
	return found;
}
