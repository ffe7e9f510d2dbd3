// What happy-dom lacks of a browser.

import { cleanup, configure } from "@testing-library/svelte";
import { afterEach } from "vitest";

// The element is named by its test id; a whole page in the report hides the reason.
configure({ asyncUtilTimeout: 5000, getElementError: (message) => new Error(message?.split("\n")[0]) });

afterEach(() => cleanup());
