// Seeded numbers: the fake says the same on every machine and at every start.

/** FNV-1a of a string, 32 bits. */
export function hash(text: string): number {
	let h = 0x811c9dc5;
	for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
	// A last mix: neighbouring strings must not give neighbouring numbers.
	h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
	h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
	return (h ^ (h >>> 15)) >>> 0;
}

/** A number in [0, 1) that depends on the name alone. */
export const chance = (name: string): number => hash(name) / 4294967296;

export function pick<T>(name: string, of: readonly T[]): T {
	return of[hash(name) % of.length]!;
}
