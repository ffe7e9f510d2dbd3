// The fake that the address asks for: `?fake=offline`.

import { createFake, type Fake } from "./index";
import { type Scenario, scenarios } from "./story";

export function fakeOfAddress(query: URLSearchParams): Fake {
	const asked = query.get("fake");
	const scenario = scenarios.find((s): s is Scenario => s === asked) ?? "full";
	return createFake({ scenario, timer: true });
}
