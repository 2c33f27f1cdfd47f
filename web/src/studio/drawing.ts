/**
 * The drawing: the model plane's own SVG, put into the page, each part a way to its lines and back.
 *
 * Rule 1. The SVG is parsed as XML and taken over without anything that could act; its styles become the page's sheet.
 */

import type { Drawn } from "../client";
import { found } from "./page";

const STYLE = /<style>([^<]*)<\/style>/; // taken out first: the page's policy refuses it even in a parsed text
const ACTING = "script, foreignObject, iframe, a, use, image, animate, set";

export class Drawing {
  #place = found("graph");
  #note = found("drawn");
  #lines: Drawn["lines"] = {};
  #go: (line: number) => void;
  #sheet = new CSSStyleSheet();

  constructor(go: (line: number) => void) {
    this.#go = go;
    document.adoptedStyleSheets.push(this.#sheet);
    this.#place.addEventListener("click", (event) => this.#act(event.target));
    this.#place.addEventListener("keydown", (event) => {
      if ((event.key === "Enter" || event.key === " ") && this.#act(event.target)) event.preventDefault();
    });
  }

  /** Whether there is too little room to let it flow to the right. */
  get narrow(): boolean {
    return this.#place.clientWidth < 560;
  }

  show(drawn: Drawn, note: string): void {
    const [, style = ""] = STYLE.exec(drawn.text) ?? [];
    const parsed = new DOMParser().parseFromString(drawn.text.replace(STYLE, ""), "image/svg+xml").documentElement;
    if (parsed.localName !== "svg") return;
    this.#sheet.replaceSync(style);
    for (const node of parsed.querySelectorAll(ACTING)) node.remove();
    const svg = document.importNode(parsed, true);
    svg.setAttribute("role", "group");
    svg.setAttribute("aria-label", svg.querySelector("title")?.textContent ?? "Graph");
    this.#lines = drawn.lines;
    for (const node of svg.querySelectorAll<SVGElement>("g[tabindex]")) this.#button(node);
    this.#place.replaceChildren(svg);
    this.#place.removeAttribute("data-stale");
    this.#note.textContent = note;
  }

  #button(node: SVGElement): void {
    const [line] = this.#lines[node.dataset["path"] ?? ""] ?? [];
    const texts = [...node.querySelectorAll("text")];
    for (const text of texts.slice(1)) text.before(" "); // read aloud, they are words of their own
    const said = texts.map(({ textContent }) => textContent ?? "");
    node.setAttribute("role", "button");
    node.setAttribute("aria-label", said.join(" ") + (line ? `, line ${line}` : ""));
  }

  /** What is shown belongs to a document that was. */
  stale(note: string): void {
    this.#place.setAttribute("data-stale", "");
    this.#note.textContent = note;
  }

  clear(note: string): void {
    this.#place.replaceChildren();
    this.#note.textContent = note;
  }

  #act(target: EventTarget | null): boolean {
    const part = target instanceof Element ? target.closest<SVGElement>("[data-path]") : null;
    const [line] = this.#lines[part?.dataset["path"] ?? ""] ?? [];
    if (line === undefined) return false;
    this.#go(line);
    return true;
  }

  /** The line of a key: its own, else that of the part that it belongs to. */
  lineOf(path: string): number | undefined {
    for (let key = path; key; key = key.slice(0, Math.max(0, key.lastIndexOf(".")))) {
      const [line] = this.#lines[key] ?? [];
      if (line !== undefined) return line;
    }
    return undefined;
  }

  /** Mark the part that a line belongs to: the one with the fewest lines around it. */
  mark(line: number): void {
    const around = Object.entries(this.#lines).filter(([, [first, last]]) => first! <= line && line <= last!);
    const length = ([, [first, last]]: [string, number[]]): number => last! - first!;
    const nodes = around.filter(([path]) => this.#node(path)).sort((a, b) => length(a) - length(b));
    for (const marked of this.#place.querySelectorAll(".here")) marked.classList.remove("here");
    const least = nodes[0] ? length(nodes[0]) : 0;
    for (const one of nodes.filter((other) => length(other) === least)) this.#node(one[0])?.classList.add("here");
  }

  #node(path: string): Element | null {
    return this.#place.querySelector(`g[tabindex][data-path="${CSS.escape(path)}"]`);
  }
}
