// Which rows of a long table exist in the page: those in view and a few beside them.

interface RowWindow {
	/** First row drawn, and the one after the last. */
	first: number;
	end: number;
	/** Height of what is not drawn above and below, in px. */
	above: number;
	below: number;
}

export const overscanRows = 6;

export function rowWindow(scrollTop: number, viewport: number, rowHeight: number, count: number): RowWindow {
	const visible = Math.ceil(viewport / rowHeight) + 1;
	const firstVisible = Math.min(Math.max(0, Math.floor(scrollTop / rowHeight)), Math.max(0, count - visible));
	const first = Math.max(0, firstVisible - overscanRows);
	const end = Math.min(count, firstVisible + visible + overscanRows);
	return { first, end, above: first * rowHeight, below: (count - end) * rowHeight };
}

/** The scroll position that brings a row into view, or the present one if it is in view. */
export function scrollTo(row: number, scrollTop: number, viewport: number, rowHeight: number, head: number): number {
	const top = row * rowHeight;
	const room = viewport - head;
	if (top < scrollTop) return top;
	if (top + rowHeight > scrollTop + room) return top + rowHeight - room;
	return scrollTop;
}
