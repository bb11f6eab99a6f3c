// The descriptor as requests and notifications: JSON-RPC 2.0, one message a line. Knows
// nothing of steps.
import net from "node:net";

import { errorOf, StepmillError } from "./errors.js";

const LINE_MAX = 4 * 1024 * 1024;
const IN_FLIGHT_MAX = 200; // the engine takes 256

/** Leaves at once: nothing of the workflow's code runs any more, not even its listeners. */
export function leave(status) {
	process.removeAllListeners("exit");
	process.exit(status);
}

export class Channel {
	#socket;
	#notices; // by method
	#waiting = new Map(); // id -> {resolve, reject}
	#later = []; // lines that wait for room
	#lastId = 0;
	#pieces = []; // of a line that has not ended

	constructor(fd, notices) {
		this.#notices = notices;
		this.#socket = new net.Socket({ fd, readable: true, writable: true });
		this.#socket.on("data", piece => this.#read(piece));
		// The worker is gone; whatever runs this again starts a new process.
		this.#socket.on("close", () => leave(1));
		this.#socket.on("error", () => leave(1));
	}

	/** The result; an answer with an error is thrown as what errors.js makes of it. */
	request(method, params) {
		return new Promise((resolve, reject) => {
			const id = ++this.#lastId;
			this.#later.push({ id, line: write({ id, method, params }), resolve, reject });
			this.#send();
		});
	}

	notify(method, params) {
		this.#socket.write(write({ method, params }));
	}

	#send() {
		while (this.#later.length > 0 && this.#waiting.size < IN_FLIGHT_MAX) {
			const { id, line, resolve, reject } = this.#later.shift();
			this.#waiting.set(id, { resolve, reject });
			this.#socket.write(line);
		}
	}

	#read(piece) {
		for (let end; (end = piece.indexOf(10)) >= 0; piece = piece.subarray(end + 1)) {
			this.#pieces.push(piece.subarray(0, end));
			const line = Buffer.concat(this.#pieces).toString();
			this.#pieces = [];
			this.#take(JSON.parse(line));
		}
		if (piece.length > 0)
			this.#pieces.push(piece);
	}

	#take(message) {
		if (message.method !== undefined) {
			this.#notices[message.method]?.(message.params ?? {});
			return;
		}
		const asked = this.#waiting.get(message.id);
		if (asked === undefined)
			return;
		const error = message.error ? errorOf(message.error) : undefined;
		if (error === null)
			return; // about to be stopped: the call never comes back, and keeps its place
		this.#waiting.delete(message.id);
		if (error)
			asked.reject(error);
		else
			asked.resolve(message.result);
		this.#send();
	}
}

function write(message) {
	const line = JSON.stringify({ jsonrpc: "2.0", ...message }) + "\n";
	const bytes = Buffer.byteLength(line);
	if (bytes > LINE_MAX)
		throw new StepmillError("too_large",
			`${message.method}: ${bytes} bytes of JSON, at most ${LINE_MAX} fit`);
	return line;
}
