// Line icons on a 16 × 16 grid, and the states of a batch on a 12 × 12 one. Markup of our own, never of data.

export const icons = {
	plus: `<path d="M8 3.5v9M3.5 8h9"/>`,
	runs: `<path d="M2.5 4.5h6M5 8h8.5M3.5 11.5h5"/>`,
	table: `<rect x="2.5" y="3" width="11" height="10" rx="1.5"/><path d="M2.5 6.5h11M6.5 6.5V13"/>`,
	gear: `<circle cx="8" cy="8" r="2"/><path d="M8 1.8v2M8 12.2v2M1.8 8h2M12.2 8h2M3.6 3.6 5 5M11 11l1.4 1.4M3.6 12.4 5 11M11 5l1.4-1.4"/>`,
	queue: `<path d="M3 4h10M3 8h6M3 12h4M10 11.5l1.7 1.7 3-3.4"/>`,
	scale: `<path d="M8 2.5v11M4.5 13.5h7M3 5h10M3 5 1.5 9h3zM13 5l-1.5 4h3z"/>`,
	sliders: `<path d="M3 5h4M11 5h2M3 11h2M9 11h4"/><circle cx="9" cy="5" r="1.8"/><circle cx="7" cy="11" r="1.8"/>`,
	search: `<circle cx="7" cy="7" r="4"/><path d="m10 10 3.2 3.2"/>`,
	down: `<path d="m4.5 6.5 3.5 3.5 3.5-3.5"/>`,
	updown: `<path d="m5 6.2 3-3 3 3M5 9.8l3 3 3-3"/>`,
	right: `<path d="m6.5 4.5 3.5 3.5-3.5 3.5"/>`,
	left: `<path d="M9.5 4.5 6 8l3.5 3.5"/>`,
	warn: `<path d="M8 2.6 14 13H2z"/><path d="M8 6.6v3M8 11.3v.1"/>`,
	pause: `<path d="M6 4v8M10 4v8"/>`,
	close: `<path d="m4.5 4.5 7 7M11.5 4.5l-7 7"/>`,
	refresh: `<path d="M13 8a5 5 0 1 1-1.5-3.5M13 2.5v2.6h-2.6"/>`,
	enter: `<path d="M12.5 3.5v5h-9M6.5 5.5l-3 3 3 3"/>`,
	info: `<circle cx="8" cy="8" r="5.5"/><path d="M8 7.5v3.2M8 5.2v.1"/>`,
	offline: `<path d="M2.5 6.5a8 8 0 0 1 11 0M5 9.2a4.6 4.6 0 0 1 6 0M8 12.3v.1M3 13.5 13 2.5"/>`,
	key: `<circle cx="5.5" cy="10.5" r="2.5"/><path d="m7.4 8.6 5.1-5.1M10.5 5.5l1.8 1.8"/>`,
	download: `<path d="M8 2.8v7M5 7.2l3 3 3-3M3 13h10"/>`,
	check: `<path d="m3.5 8.5 3 3 6-6.5"/>`,
	book: `<path d="M8 4.2C6.8 3.4 5 3 2.8 3v9c2.2 0 4 .4 5.2 1.2 1.2-.8 3-1.2 5.2-1.2V3C11 3 9.2 3.4 8 4.2zM8 4.2v9"/>`,
	bell: `<path d="M4 11V7.2a4 4 0 0 1 8 0V11l1 1H3zM6.8 13.8h2.4"/>`,
	swap: `<path d="M3 5.5h9M9.5 3 12 5.5 9.5 8M13 10.5H4M6.5 8 4 10.5 6.5 13"/>`,
	flask: `<path d="M6.3 2.5v4L3 12.3c-.3.6.1 1.2.7 1.2h8.6c.6 0 1-.6.7-1.2L9.7 6.5v-4M5.3 2.5h5.4"/>`,
	folder: `<path d="M2.5 4.5c0-.6.4-1 1-1h2.7l1.5 1.6h4.8c.6 0 1 .4 1 1v5.4c0 .6-.4 1-1 1h-9c-.6 0-1-.4-1-1z"/>`,
	dataset: `<ellipse cx="8" cy="4.3" rx="5" ry="1.9"/><path d="M3 4.3v7.4c0 1 2.2 1.9 5 1.9s5-.9 5-1.9V4.3M3 8c0 1 2.2 1.9 5 1.9S13 9 13 8"/>`,
} as const;

export type IconName = keyof typeof icons;

export const stateGlyphs = {
	queued: `<circle cx="6" cy="6" r="4.6" stroke-dasharray="1.6 2"/>`,
	waiting: `<circle cx="6" cy="6" r="4.6"/><path d="M6 3.4V6l1.7 1"/>`,
	uploading: `<circle cx="6" cy="6" r="4.6"/><path d="M6 8.4V4M4.2 5.6 6 3.8l1.8 1.8"/>`,
	validating: `<circle cx="6" cy="6" r="4.6"/><circle cx="6" cy="6" r="1.6" fill="currentColor" stroke="none"/>`,
	running: `<circle cx="6" cy="6" r="4.6"/><path d="M6 6V1.4A4.6 4.6 0 0 1 9.6 8.9Z" fill="currentColor" stroke="none"/>`,
	finalizing: `<circle cx="6" cy="6" r="4.6"/><path d="M6 6V1.4A4.6 4.6 0 1 1 1.4 6Z" fill="currentColor" stroke="none"/>`,
	ingested: `<circle cx="6" cy="6" r="5.2" fill="currentColor" stroke="none"/><path d="m3.8 6.2 1.6 1.6 2.9-3.3" stroke="var(--bg)" stroke-width="1.3"/>`,
	failed: `<circle cx="6" cy="6" r="4.6"/><path d="m4.3 4.3 3.4 3.4M7.7 4.3 4.3 7.7"/>`,
	expired: `<circle cx="6" cy="6" r="4.6"/><path d="M6 3.4V6L4.3 7"/>`,
	cancelled: `<circle cx="6" cy="6" r="4.6"/><path d="M2.8 9.2 9.2 2.8"/>`,
	paused: `<circle cx="6" cy="6" r="4.6"/><path d="M4.9 4.3v3.4M7.1 4.3v3.4"/>`,
	attention: `<path d="M6 1.4 11 10.2H1Z"/><path d="M6 4.8v2.4M6 8.7v.1"/>`,
	done: `<circle cx="6" cy="6" r="5.2" fill="currentColor" stroke="none"/><path d="m3.8 6.2 1.6 1.6 2.9-3.3" stroke="var(--bg)" stroke-width="1.3"/>`,
} as const;

export type StateGlyph = keyof typeof stateGlyphs;
