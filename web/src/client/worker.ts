/**
 * The worker: Pyodide with the model plane in it, answering one question after the other.
 *
 * Rule 1. Only texts cross to Python and back, so that nothing has to be freed.
 * Rule 2. Whatever goes wrong here is said, and the page starts another worker.
 */

import type { PyodideInterface, loadPyodide } from "pyodide";
import type { Ask, Begin, Said } from "./messages";

type Call = (name: string, request: string) => string;

let call: Promise<Call> | undefined;

const say = (said: Said): void => self.postMessage(said);

self.onmessage = async ({ data }: MessageEvent<Begin | Ask>): Promise<void> => {
  const id = "id" in data ? data.id : null;
  try {
    if ("id" in data) {
      const ask = await call;
      if (ask) say({ id: data.id, answer: ask(data.name, data.request) });
    } else {
      call = begin(data);
      await call;
    }
  } catch (error) {
    say({ id, failed: String(error) });
  }
};

/** Load everything, and say that it is there. */
async function begin({ runtime, wheel }: Begin): Promise<Call> {
  const fetched = bytes(wheel);
  const module = (await import(/* @vite-ignore */ `${runtime}pyodide.mjs`)) as { loadPyodide: typeof loadPyodide };
  const python = await module.loadPyodide({ indexURL: runtime });
  return unpack(python, await fetched);
}

async function bytes(url: string): Promise<ArrayBuffer> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response.arrayBuffer();
}

/** Install the model plane where modules belong: without the folder it would lie in the working directory. */
function unpack(python: PyodideInterface, wheel: ArrayBuffer): Call {
  const purelib = python.runPython("import sysconfig; sysconfig.get_path('purelib')") as string;
  python.unpackArchive(wheel, "wheel", { extractDir: purelib });
  const web = python.pyimport("byteor.web") as { call: Call };
  const { byteor } = JSON.parse(web.call("version", "{}")) as { byteor: string };
  const version = python.runPython("import platform; platform.python_version()") as string;
  say({ ready: { byteor, pyodide: python.version, python: version } });
  return web.call;
}
