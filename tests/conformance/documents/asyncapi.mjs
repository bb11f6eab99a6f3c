// asyncapi.mjs FOLDER FILE: what the AsyncAPI parser in FOLDER/node_modules says of the document.
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [folder, file] = process.argv.slice(2);
const require = createRequire(join(folder, 'package.json'));
const { Parser, fromFile } = require('@asyncapi/parser');
const { version } = require('@asyncapi/parser/package.json');

// Says only that there is a newer version of the standard.
const rules = { 'asyncapi-latest-version': 'off' };
const parser = new Parser({ ruleset: { rules } });
const { document, diagnostics } = await fromFile(parser, file).parse();
console.log(JSON.stringify({
	version,
	messages: document ? document.allMessages().length : 0,
	problems: diagnostics.map((one) => ({
		code: one.code, message: one.message, path: one.path.join('.'),
	})),
}));
