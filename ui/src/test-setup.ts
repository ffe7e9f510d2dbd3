// What happy-dom lacks of a browser.

import { cleanup, configure } from "@testing-library/svelte";
import { afterEach } from "vitest";

// The element is named by its test id; a whole page in the report hides the reason.
configure({ asyncUtilTimeout: 5000, getElementError: (message) => new Error(message?.split("\n")[0]) });

// Nothing is laid out, so every element would be 0 px high and a long table would draw next to no rows.
Object.defineProperty(HTMLElement.prototype, "clientHeight", { configurable: true, get: () => 600 });

afterEach(() => cleanup());
