/**
 * Reading what Python writes.
 *
 * Rule 1. An integer that a JavaScript number would change is read as a text of its digits.
 */

const WORDS = /"(?:[^"\\]|\\.)*"|-?\d{16,}(?![\d.eE])/g;

/** Read a JSON text without losing a digit of an integer. */
export function parse(text: string): unknown {
  return JSON.parse(text.replace(WORDS, quoted));
}

function quoted(word: string): string {
  return word.startsWith('"') || Number.isSafeInteger(Number(word)) ? word : `"${word}"`;
}
