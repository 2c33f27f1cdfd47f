#!/usr/bin/env node
// Copies what a page serves beside its own files: Pyodide's runtime, and the wheel of the model plane.
import { copyFileSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const FILES = ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json"];

const [folder] = process.argv.slice(2);
if (!folder) {
  console.error("usage: byteor-assets FOLDER");
  process.exit(2);
}
const here = dirname(fileURLToPath(import.meta.url));
const runtime = dirname(createRequire(import.meta.url).resolve("pyodide/package.json"));
mkdirSync(join(folder, "pyodide"), { recursive: true });
for (const name of FILES) copyFileSync(join(runtime, name), join(folder, "pyodide", name));
copyFileSync(join(here, "dist/client/byteor.whl"), join(folder, "byteor.whl"));
