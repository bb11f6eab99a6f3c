// The errors that calls of a context end with, each a class of its own.

/** Any error that the engine answers; code says which. */
export class StepmillError extends Error {
	constructor(code, message) {
		super(message);
		this.name = new.target.name;
		this.code = code;
	}
}

/** A step failed for good: its number, and all that the engine knows of its error. */
export class StepFailed extends StepmillError {
	constructor(step, error) {
		super(error?.code ?? "failed", error?.message ?? "the step failed");
		this.step = step;
		this.error = error ?? {};
	}
}

/** The program asks for something else than what is recorded. It cannot go on. */
export class Divergence extends StepmillError {
	constructor(message, data) {
		super("divergence", message);
		this.asked = data?.asked;
		this.recorded = data?.recorded;
	}
}

/** The run is being ended: no new steps. */
export class Cancelled extends StepmillError {
	constructor(message) {
		super("cancelled", message);
	}
}

const STEP_FAILED = -32010, DIVERGENCE = -32011, CANCELLED = -32012, LIMIT = -32013;
const NOT_NOW = -32014;
const CODES = { [LIMIT]: "limit", [-32700]: "protocol", [-32600]: "protocol",
	[-32601]: "unknown_method", [-32602]: "input" };

/** The error of a JSON-RPC answer as one to throw; null: the program is about to be
 * stopped, nothing is to be thrown. */
export function errorOf({ code, message, data }) {
	switch (code) {
	case NOT_NOW: return null;
	case STEP_FAILED: return new StepFailed(data?.step, data?.error ?? { message });
	case DIVERGENCE: return new Divergence(message, data);
	case CANCELLED: return new Cancelled(message);
	default: return new StepmillError(CODES[code] ?? "engine", message);
	}
}

/** Anything thrown, as {code?, message, stack?} for the record. */
export function describe(thrown) {
	if (!(thrown instanceof Error))
		return { message: String(thrown) };
	const code = typeof thrown.code === "string" ? { code: thrown.code } : {};
	return { ...code, message: thrown.message || thrown.name, stack: thrown.stack };
}
