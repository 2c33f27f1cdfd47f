/**
 * What the page and its worker say to each other: texts and numbers, never objects of Python.
 */

/** Where the worker finds what it runs; both are whole addresses, `runtime` ends with a slash. */
export interface Begin {
  runtime: string;
  wheel: string;
}

/** One question: `name` is a question of the boundary, `request` its JSON text. */
export interface Ask {
  id: number;
  name: string;
  request: string;
}

/** What runs in the worker. */
export interface Versions {
  byteor: string;
  pyodide: string;
  python: string;
}

/** What the worker says: that it is ready, an answer's JSON text, or why there is none. */
export type Said = { ready: Versions } | { id: number; answer: string } | { id: number | null; failed: string };
