// A fake provider that speaks the protocols of all: started by tests/integration/harness/models.py
// with a file of fixtures; one with `history` matches only where that was said before. Prints its address, and ends with its standard input.
import { readFileSync } from "node:fs";
import { LLMock } from "@copilotkit/aimock";

const mock = new LLMock({ port: 0, host: "127.0.0.1" });
for (const { match: { history, ...match }, ...fixture } of JSON.parse(readFileSync(process.argv[2], "utf8"))) {
	if (history !== undefined)
		match.predicate = (request) => JSON.stringify(request.messages).includes(history);
	mock.addFixture({ match, ...fixture });
}
await mock.start();
console.log(mock.url);
process.stdin.resume();
process.stdin.on("end", async () => {
	await mock.stop();
	process.exit(0);
});
