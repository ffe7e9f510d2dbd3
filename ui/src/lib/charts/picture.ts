// A chart as a picture file. Charts are made of rect, path, polyline, circle, text and g with presentation attributes only, so that
// both kinds can be drawn without a style sheet, and without the window having to load images.

import { resolveTokens, type Theme } from "./tokens";

const margin = 12;
const namespace = "http://www.w3.org/2000/svg";
const kept = [
	...["x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx", "width", "height", "d", "points", "fill", "stroke"],
	...["stroke-width", "stroke-dasharray", "stroke-linejoin", "opacity", "font-size", "font-weight", "text-anchor"],
];

/** What stands over the chart in a file: there is no page around it that says so. */
export interface Caption {
	title: string;
	note: string;
}

const captionHeight = 34;

/** Left, top, width and height of what the chart draws into. */
function boxOf(svg: SVGElement): [number, number, number, number] {
	const [x = 0, y = 0, width = 100, height = 100] = (svg.getAttribute("viewBox") ?? "").split(/[\s,]+/).map(Number);
	return [x, y, width, height];
}

const escaped = (text: string) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

function captionTexts(caption: Caption, x: number, top: number) {
	const said = [
		{ text: caption.title, size: 13, weight: "600", fill: "var(--ink)", y: top + margin + 10, x },
		{ text: caption.note, size: 11, weight: "400", fill: "var(--ink-3)", y: top + margin + 26, x },
	];
	return said.filter((t) => t.text !== "");
}

/** The chart as a file of its own: colours resolved, ground and margin added, nothing that the window adds. */
export function svgFile(svg: SVGElement, caption: Caption, theme: Theme = "light"): string {
	const [x, y, width, height] = boxOf(svg);
	const attributes = (e: Element) =>
		kept
			.filter((name) => e.hasAttribute(name))
			.map((name) => ` ${name}="${escaped(resolveTokens(e.getAttribute(name) ?? "", theme)).replace(/"/g, "&quot;")}"`)
			.join("");
	const draw = (e: Element): string => {
		const name = e.localName;
		if (name === "text") return `<text${attributes(e)}>${escaped(e.textContent ?? "")}</text>`;
		const inner = [...e.children].map(draw).join("");
		return `<${name}${attributes(e)}>${inner}</${name}>`;
	};
	const [w, h] = [width + 2 * margin, height + 2 * margin + captionHeight];
	const top = y - margin - captionHeight;
	const box = `${x - margin} ${top} ${w} ${h}`;
	const font = escaped(resolveTokens("var(--font-ui)", theme)).replace(/"/g, "'");
	const title = escaped(svg.getAttribute("aria-label") ?? "");
	const ground = `<rect x="${x - margin}" y="${top}" width="${w}" height="${h}" fill="${resolveTokens("var(--bg)", theme)}"/>`;
	const said = captionTexts(caption, x, top)
		.map(
			(t) =>
				`<text x="${t.x}" y="${t.y}" font-size="${t.size}" font-weight="${t.weight}" fill="${resolveTokens(t.fill, theme)}">${escaped(t.text)}</text>`,
		)
		.join("");
	const parts = [said, ...[...svg.children].map(draw)].join("\n");
	return `<svg xmlns="${namespace}" viewBox="${box}" width="${w}" height="${h}" font-family="${font}" role="img">\n<title>${title}</title>\n${ground}\n${parts}\n</svg>\n`;
}

/** What an element inherits from those around it. */
interface Pen {
	fill: string;
	stroke: string;
	width: number;
	dash: number[];
	opacity: number;
	size: number;
	weight: string;
	anchor: string;
}

const anchors: Record<string, CanvasTextAlign> = { start: "left", middle: "center", end: "right" };

function penOf(e: Element, from: Pen, theme: Theme): Pen {
	const get = (name: string) => e.getAttribute(name);
	const colour = (name: string, old: string) => {
		const value = get(name);
		return value === null ? old : resolveTokens(value, theme);
	};
	return {
		fill: colour("fill", from.fill),
		stroke: colour("stroke", from.stroke),
		width: Number(get("stroke-width") ?? from.width),
		dash:
			get("stroke-dasharray")
				?.split(/[\s,]+/)
				.map(Number) ?? from.dash,
		opacity: from.opacity * Number(get("opacity") ?? 1),
		size: Number(get("font-size") ?? from.size),
		weight: get("font-weight") ?? from.weight,
		anchor: get("text-anchor") ?? from.anchor,
	};
}

function shapeOf(e: Element): Path2D | null {
	const n = (name: string) => Number(e.getAttribute(name) ?? 0);
	const path = new Path2D();
	switch (e.localName) {
		case "rect":
			path.roundRect(n("x"), n("y"), n("width"), n("height"), n("rx"));
			return path;
		case "circle":
			path.arc(n("cx"), n("cy"), n("r"), 0, 2 * Math.PI);
			return path;
		case "path":
			return new Path2D(e.getAttribute("d") ?? "");
		case "polyline":
			return new Path2D(`M${e.getAttribute("points") ?? ""}`);
		default:
			return null;
	}
}

function paint(svg: SVGElement, to: CanvasRenderingContext2D, theme: Theme): void {
	const font = resolveTokens("var(--font-ui)", theme);
	const draw = (e: Element, from: Pen) => {
		const pen = penOf(e, from, theme);
		to.globalAlpha = pen.opacity;
		if (e.localName === "text") {
			to.font = `${pen.weight} ${pen.size}px ${font}`;
			to.textAlign = anchors[pen.anchor] ?? "left";
			to.fillStyle = pen.fill;
			to.fillText(e.textContent ?? "", Number(e.getAttribute("x") ?? 0), Number(e.getAttribute("y") ?? 0));
			return;
		}
		const shape = shapeOf(e);
		if (shape && pen.fill !== "none") {
			to.fillStyle = pen.fill;
			to.fill(shape);
		}
		if (shape && pen.stroke !== "none") {
			to.strokeStyle = pen.stroke;
			to.lineWidth = pen.width;
			to.setLineDash(pen.dash);
			to.stroke(shape);
		}
		for (const child of e.children) draw(child, pen);
	};
	const pen: Pen = {
		fill: "#000",
		stroke: "none",
		width: 1,
		dash: [],
		opacity: 1,
		size: 12,
		weight: "400",
		anchor: "start",
	};
	for (const child of svg.children) draw(child, pen);
}

/** The chart's pixels, twice as fine as on an ordinary screen. `null`: this window cannot draw. */
export async function pngFile(
	svg: SVGElement,
	caption: Caption,
	theme: Theme = "light",
	scale = 2,
): Promise<Uint8Array | null> {
	const [x, y, width, height] = boxOf(svg);
	const canvas = document.createElement("canvas");
	canvas.width = Math.ceil((width + 2 * margin) * scale);
	canvas.height = Math.ceil((height + 2 * margin + captionHeight) * scale);
	const context = canvas.getContext("2d");
	if (!context) return null;
	context.fillStyle = resolveTokens("var(--bg)", theme);
	context.fillRect(0, 0, canvas.width, canvas.height);
	context.scale(scale, scale);
	context.translate(margin - x, margin + captionHeight - y);
	for (const t of captionTexts(caption, x, y - margin - captionHeight)) {
		context.font = `${t.weight} ${t.size}px ${resolveTokens("var(--font-ui)", theme)}`;
		context.fillStyle = resolveTokens(t.fill, theme);
		context.fillText(t.text, t.x, t.y);
	}
	paint(svg, context, theme);
	const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/png"));
	return blob && new Uint8Array(await blob.arrayBuffer());
}
