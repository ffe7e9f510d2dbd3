// Tables and charts into files: asks where, writes, says where it went.

import { backend, call, chosen, type FileContent } from "../backend";
import { type Caption, pngFile, svgFile } from "../charts/picture";
import { csv, type Table } from "../csv";
import { toasts } from "./toasts.svelte";

async function save(name: string, content: FileContent): Promise<void> {
	const picked = await chosen(backend().pickSave(name));
	if (!picked.ok) toasts.fail(picked.error);
	if (!picked.ok || !picked.data) return;
	const path = picked.data;
	const ending = name.slice(name.lastIndexOf("."));
	const r = await call(backend().commands.fileSave(path.endsWith(ending) ? path : path + ending, content));
	if (r.ok) toasts.say("Saved", r.data);
	else toasts.fail(r.error);
}

export const saveTable = (name: string, table: Table): Promise<void> => save(`${name}.csv`, { csv: csv(table) });

/** In the light theme, whatever the window has: pictures go into documents. */
export async function savePicture(name: string, svg: SVGElement, caption: Caption, kind: "svg" | "png"): Promise<void> {
	if (kind === "svg") return save(`${name}.svg`, { svg: svgFile(svg, caption) });
	const bytes = await pngFile(svg, caption);
	if (bytes) return save(`${name}.png`, { png: Array.from(bytes) });
	toasts.fail({
		code: "internal",
		message: "This window cannot draw the picture as PNG.",
		detail: null,
		safe: "Nothing was written.",
		action: "Export it as SVG.",
	});
}
