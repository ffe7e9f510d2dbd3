// How a command of the fake says no.

import type { ApiError, ErrorCode } from "../bindings";

export class Refusal extends Error {
	constructor(readonly error: ApiError) {
		super(error.message);
	}
}

export function refuse(code: ErrorCode, message: string, rest: Partial<ApiError> = {}): never {
	throw new Refusal({ code, message, detail: null, safe: null, action: null, ...rest });
}
