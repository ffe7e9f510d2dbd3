// Size of everything in the window, in steps as browsers have them. Kept in the settings; the window itself does the scaling.

import { app } from "./app.svelte";
import { toasts } from "./toasts.svelte";

export const actualSize = 100;
export const zoomSteps = [50, 67, 80, 90, actualSize, 110, 125, 150, 175, 200];

/** The next step from a size, or the last one. */
export function zoomStep(percent: number, direction: 1 | -1): number {
	const next = direction > 0 ? zoomSteps.find((s) => s > percent) : zoomSteps.filter((s) => s < percent).at(-1);
	return next ?? percent;
}

export async function setZoom(zoomPercent: number): Promise<void> {
	if (!app.settings || zoomPercent === app.settings.zoomPercent) return;
	const error = await app.saveSettings({ zoomPercent });
	if (error) toasts.fail(error);
}

export function zoomBy(direction: 1 | -1): void {
	void setZoom(zoomStep(app.settings?.zoomPercent ?? actualSize, direction));
}
