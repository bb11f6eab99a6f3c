// What register.mjs hooks in: the name "stepmill", and .js files that are modules without a
// package.json that says so (older nodes would take them for CommonJS).
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const SDK = new URL("./index.js", import.meta.url).href;
const MODULE_SYNTAX = /^\s*(import\s*["'{*\w]|export\s+(default|const|let|function|async|class|\{|\*))/m;

export async function resolve(specifier, context, next) {
	if (specifier === "stepmill")
		return { url: SDK, format: "module", shortCircuit: true };
	return next(specifier, context);
}

async function moduleSource(url) {
	if (!url.startsWith("file:") || !new URL(url).pathname.endsWith(".js"))
		return null;
	const text = await readFile(fileURLToPath(url), "utf8");
	return MODULE_SYNTAX.test(text) ? text : null;
}

export async function load(url, context, next) {
	if (context.format === undefined || context.format === null || context.format === "commonjs") {
		const source = await moduleSource(url);
		if (source !== null)
			return { format: "module", source, shortCircuit: true };
	}
	return next(url, context);
}
