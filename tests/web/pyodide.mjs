// Runs the model plane in Pyodide under Node: `answers FILE WHEEL` asks what FILE holds, `memory FILE WHEEL` asks
// it many times, `suite FOLDERS` runs its tests.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const { loadPyodide } = await import(join(root, "web/node_modules/pyodide/pyodide.mjs"));
const [what, ...given] = process.argv.slice(2);

const python = await loadPyodide({ stdout: (line) => console.error(line) });
const purelib = python.runPython("import sysconfig; sysconfig.get_path('purelib')");

if (what !== "suite") {
  python.unpackArchive(new Uint8Array(readFileSync(given[1])), "wheel", { extractDir: purelib });
  const { call } = python.pyimport("byteor.web");
  const asked = JSON.parse(readFileSync(given[0], "utf8"));
  if (what === "answers") console.log(JSON.stringify(asked.map(([name, request]) => call(name, request))));
  else console.log(JSON.stringify(sizes(call, asked)));
} else {
  const [packages, ...folders] = given;
  python.mountNodeFS("/packages", packages);
  python.FS.mkdirTree("/repository");
  python.mountNodeFS("/repository", root);
  python.globals.set("folders", python.toPy(folders));
  const status = await python.runPythonAsync(`
import os, sys
os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
sys.dont_write_bytecode = True
os.chdir("/repository")
sys.path[:0] = ["/repository/src", "/repository", "/packages"]
open("/tmp/pytest.ini", "w").write("[pytest]\\nmarkers =\\n    slow: slow\\n    stress: stress\\n    timeout: seconds\\n")
import pytest
pytest.main(["-c", "/tmp/pytest.ini", "--rootdir=/repository", "--import-mode=importlib", "-q", "-p", "no:cacheprovider",
             "-p", "_hypothesis_pytestplugin", "-o", "pythonpath=.", *folders])
`);
  process.exitCode = Number(status);
}

// The size of the whole memory, and how many blocks Python holds, after each tenth of 11,000 questions.
function sizes(call, asked) {
  const found = [];
  for (let round = 0; round < 11; round++) {
    for (let at = 0; at < 1000; at++) call(...asked[at % asked.length]);
    const blocks = python.runPython("import gc, sys; gc.collect(); sys.getallocatedblocks()");
    found.push([python._module.HEAPU8.byteLength, blocks]);
  }
  return found;
}
