// Prints what Grafana's types find wrong in a dashboard, a line each: node check.mjs FILE. The exit code is 1 for any.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const folder = dirname(fileURLToPath(import.meta.url));
const source = join(folder, "dashboard.ts");
const json = readFileSync(process.argv[2], "utf8").trimEnd();
const text = readFileSync(source, "utf8").replace("= {} satisfies", () => `= ${json} satisfies`);
const options = { strict: true, noEmit: true, target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext, skipLibCheck: true,
  moduleResolution: ts.ModuleResolutionKind.Bundler, types: [] };
const host = ts.createCompilerHost(options);
const read = host.getSourceFile.bind(host);
host.getSourceFile = (name, version, ...rest) =>
  name === source ? ts.createSourceFile(name, text, version) : read(name, version, ...rest);

const first = text.slice(0, text.indexOf(json)).split("\n").length - 1;
const found = ts.getPreEmitDiagnostics(ts.createProgram([source], options, host));
for (const problem of found) {
  const line = problem.file ? problem.file.getLineAndCharacterOfPosition(problem.start).line - first + 1 : 0;
  console.log(`line ${line}: ${ts.flattenDiagnosticMessageText(problem.messageText, " ")}`);
}
process.exitCode = found.length ? 1 : 0;
