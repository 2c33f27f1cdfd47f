/** The list of findings below the editor: each a way to its line, its code a way to what it means. */

import type { Finding } from "../client";
import { button, element, found, marked } from "./page";

export interface Ways {
  go: (line: number) => void;
  explain: (code: string) => void;
}

const SHOWN = 200;

export function show(findings: readonly Finding[], ways: Ways): void {
  const rows = findings.slice(0, SHOWN).map((finding) => row(finding, ways));
  if (findings.length > SHOWN) rows.push(element("li", { class: "rest" }, `and ${findings.length - SHOWN} more`));
  if (!rows.length) rows.push(element("li", { class: "none" }, "Nothing found."));
  found("problems").replaceChildren(...rows);
}

function row(finding: Finding, { go, explain }: Ways): HTMLLIElement {
  const { line } = finding;
  const code = button(finding.code, () => explain(finding.code), {
    class: "code",
    title: finding.name,
    "aria-label": `${finding.code}, ${finding.name}: explain`,
  });
  const where = line === null ? element("span", { class: "where" }, finding.path || "document") : place(line, go);
  const said = element("p", { class: "said" }, ...marked(finding.message));
  const inside: Node[] = [element("div", { class: "first" }, code, said, where)];
  if (finding.help) inside.push(element("p", { class: "help" }, ...marked(finding.help)));
  for (const { path, label } of finding.related) inside.push(element("p", { class: "help" }, element("code", {}, path), " ", ...marked(label)));
  return element("li", { class: finding.severity, "data-code": finding.code }, ...inside);
}

function place(line: number, go: (line: number) => void): HTMLButtonElement {
  return button(`line ${line}`, () => go(line), { class: "where" });
}

/** How many there are, in words. */
export function counted(findings: readonly Finding[]): string {
  const wrong = findings.filter(({ severity }) => severity === "error").length;
  const words = [count(wrong, "error"), count(findings.length - wrong, "warning")];
  return words.filter(Boolean).join(", ");
}

function count(n: number, word: string): string {
  return n ? `${n} ${word}${n === 1 ? "" : "s"}` : "";
}
