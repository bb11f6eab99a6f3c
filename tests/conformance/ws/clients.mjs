// One conversation with GET /ws, spoken by a client library that other people wrote:
//
//   node clients.mjs FOLDER LIBRARY URL RUN
//
// FOLDER holds node_modules; LIBRARY is ws, websocket or undici. Prints what
// came as one line of JSON. tests/integration/test_ws.py judges it.
import { createRequire } from 'node:module';
import path from 'node:path';

const [folder, library, url, run] = process.argv.slice(2);
const require = createRequire(path.join(path.resolve(folder), 'package.json'));
const open = {
	ws: () => new (require('ws'))(url, ['stepmill.v1']),
	websocket: () => new (require('websocket').w3cwebsocket)(url, ['stepmill.v1']),
	undici: () => new (require('undici').WebSocket)(url, ['stepmill.v1']),
};
const result = { events: [], answers: {} };
const socket = open[library]();

function say(message) {
	socket.send(JSON.stringify(message));
}

function onOpen() {
	result.protocol = socket.protocol;
	result.extensions = socket.extensions;
	say({ type: 'ping', id: 'Grüße 😀' });
	say({ type: 'ping', id: 'large', more: 'x'.repeat(200_000) });
	say({ type: 'workflow.list', id: 'list' });
	say({ type: 'workflow:subscribe', id: 'events', executionId: run, since: 0 });
}

function onMessage(message) {
	if (message.id !== undefined)
		result.answers[message.id] = message.type;
	if (message.seq !== undefined)
		result.events.push([message.seq, message.type]);
	if (message.type === 'workflow:execution:completed')
		result.over = true;
	if (result.over && Object.keys(result.answers).length === 4)
		socket.close(1000, 'done');
}

function onClose(code, reason) {
	result.code = code;
	result.reason = String(reason);
	console.log(JSON.stringify(result));
	process.exit(0);
}

socket.onopen = onOpen;
socket.onmessage = (event) => onMessage(JSON.parse(event.data));
socket.onclose = (event) => onClose(event.code, event.reason);
socket.onerror = (event) => {
	result.error = String(event.message ?? event.error ?? event);
};
setTimeout(() => onClose(0, 'nothing more came'), 30_000).unref();
