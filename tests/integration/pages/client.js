// What a page of a client does, for tests/integration/test_browser.py: it keeps what it is told
// in window.told, where the test looks.

// Says `first`, then triggers the workflow, subscribes to the run from its beginning, and closes
// when it has its end.
window.watchOverSocket = (url, workflow, first) => {
	const told = window.told = { opened: false, messages: [], seqs: [], closed: null };
	const socket = new WebSocket(url, ['stepmill.v1']);
	const say = (message) => socket.send(JSON.stringify(message));
	const on = {
		'ack': ({ id }) => id === 'auth' && trigger(),
		'workflow.status': ({ id, executionId }) => id === 'trigger' && subscribe(executionId),
		'workflow:execution:completed': () => socket.close(1000, 'done'),
	};

	function trigger() {
		say({ type: 'workflow.trigger', id: 'trigger', workflowId: workflow });
	}

	function subscribe(run) {
		told.run = run;
		say({ type: 'workflow:subscribe', id: 'subscribe', executionId: run, since: 0 });
	}

	socket.onopen = () => {
		told.opened = true;
		told.protocol = socket.protocol;
		if (first)
			say(first);
		else
			trigger();
	};
	socket.onmessage = ({ data }) => {
		const message = JSON.parse(data);
		told.messages.push(message);
		if ('seq' in message)
			told.seqs.push(message.seq);
		on[message.type]?.(message);
	};
	socket.onclose = ({ code, wasClean }) => {
		told.closed = { code, wasClean };
	};
};

// Reads a run's events as an EventSource has them; `types` are those that it listens to.
window.watchEvents = (url, types) => {
	const source = window.source = new EventSource(url);
	const told = window.told = { opened: 0, errors: 0, events: [] };

	source.onopen = () => told.opened++;
	source.onerror = () => told.errors++;
	for (const type of types)
		source.addEventListener(type, ({ lastEventId, data }) => {
			told.events.push([Number(lastEventId), type, JSON.parse(data).seq]);
		});
};
