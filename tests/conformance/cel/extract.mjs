// Writes the cases of the official CEL test data that stepmill has to pass as JSON:
//   node extract.mjs PACKAGE-FOLDER OUT FILE...
// A case is excepted by rule, never by name: stepmill's values are JSON's and CEL's own,
// so cases that need protocol buffers' messages or enums cannot be written down. Such a
// case has a container (a package of messages), a message or enum among its values or
// variables, or a message literal in its expression. Cases that only check types
// (checkOnly) have nothing to evaluate.
import { pathToFileURL } from "node:url";
import { writeFileSync } from "node:fs";

const KNOWN = /^(type\.googleapis\.com\/)?google\.protobuf\.(Timestamp|Duration)$/;
const MESSAGE = /(?<![\w.])\.?(?:[A-Za-z_]\w*\s*\.\s*)*[A-Z]\w*\s*\{/;

const [packageFolder, out, ...wanted] = process.argv.slice(2);
const data = await import(
  pathToFileURL(`${packageFolder}/dist/esm/testdata-json.js`).href
);

function holdsMessage(value) {
  if (value === null || typeof value !== "object") return false;
  if (Array.isArray(value)) return value.some(holdsMessage);
  if ("enumValue" in value) return true;
  if ("messageType" in value) return !KNOWN.test(value.messageType);
  if ("@type" in value) return !KNOWN.test(value["@type"]);
  return Object.values(value).some(holdsMessage);
}

function bare(expr) {
  return expr
    .replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/gs, "''")
    .replace(/\/\/.*$/gm, "");
}

function exception(test) {
  if (test.checkOnly) return "checks types only";
  if (test.container) return "in a package of messages";
  if (holdsMessage([test.bindings, test.value, test.typedResult, test.typeEnv]))
    return "messages or enums among the values";
  if (MESSAGE.test(bare(test.expr))) return "a message literal";
  return null;
}

function expected(test) {
  if (test.evalError || test.anyEvalErrors) return { error: true };
  return { value: test.value ?? test.typedResult?.result ?? { boolValue: true } };
}

const cases = [];
for (const file of data.testdataJson) {
  if (!wanted.includes(file.name)) continue;
  for (const section of file.section ?? [])
    for (const test of section.test ?? []) {
      const bindings = {};
      for (const [name, binding] of Object.entries(test.bindings ?? {}))
        bindings[name] = binding.value;
      cases.push({
        section: file.name,
        name: `${section.name}/${test.name}`,
        expr: test.expr,
        lenient: Boolean(test.disableCheck),
        excepted: exception(test),
        bindings,
        ...expected(test),
      });
    }
}
for (const name of wanted)
  if (!cases.some((one) => one.section === name)) {
    console.error(`the test data has no section "${name}"`);
    process.exit(1);
  }
writeFileSync(out, JSON.stringify(cases));
