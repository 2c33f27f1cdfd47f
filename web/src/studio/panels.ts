/**
 * The panels: each asks one question about the document, and shows the answer.
 *
 * Rule 1. A panel shows what Python says; where it says nothing yet, the panel says why.
 */

import { type Byteor, type Compared, type Finding, isRefused, type Page } from "../client";
import { button, element, marked, toast } from "./page";
import { counted } from "./problems";

/** What all panels are about. */
export interface Subject {
  text: string;
  findings: readonly Finding[];
  errors: boolean;
}

export interface Panel {
  name: string;
  title: string;
  panel: HTMLElement;
  show: (subject: Subject) => Promise<void>;
}

function body(): HTMLElement {
  return element("div", { class: "panel" });
}

/** Why there is nothing to show. */
function nothing(place: HTMLElement, findings: readonly Finding[]): void {
  place.replaceChildren(element("p", { class: "empty" }, `There is no spec yet: ${counted(findings) || "nothing to read"}.`));
}

function copying(text: () => string): HTMLButtonElement {
  return button("Copy", () => void navigator.clipboard.writeText(text()).then(() => toast("Copied.")), { class: "small" });
}

/** A panel whose answer holds one text. */
export function textPanel(byteor: Byteor, name: "convert" | "describe", title: string): Panel {
  const panel = body();
  return {
    name,
    title,
    panel,
    async show({ text, findings, errors }) {
      if (errors) return nothing(panel, findings);
      const said = await byteor.ask(name, { document: text });
      if (isRefused(said)) return nothing(panel, said.findings);
      const top = element("div", { class: "tools" }, copying(() => said.text));
      panel.replaceChildren(top, element("pre", { class: "text", "data-answer": name }, ...(name === "convert" ? pairs(said.text) : [said.text])));
    },
  };
}

/** A kv text with its keys and its values told apart. */
function pairs(text: string): Node[] {
  return text.split(/(?<=\n)/).map((line) => {
    const at = line.indexOf("=") + 1;
    return element("span", {}, element("span", { class: "pair" }, line.slice(0, at)), line.slice(at));
  });
}

export function hashPanel(byteor: Byteor): Panel {
  const panel = body();
  return {
    name: "hash",
    title: "Hash",
    panel,
    async show({ text, findings, errors }) {
      if (errors) return nothing(panel, findings);
      const said = await byteor.ask("hash", { document: text });
      if (isRefused(said)) return nothing(panel, said.findings);
      const sha = said.spec_sha256;
      panel.replaceChildren(
        element("p", { class: "sha" }, element("code", { "data-answer": "hash" }, sha)),
        element("div", { class: "tools left" }, copying(() => sha)),
        element(
          "p",
          { class: "note" },
          "The SHA-256 of the spec's canonical text. Documents that mean the same have the same hash, whatever their form; ",
          element("code", {}, "byteor hash"),
          " prints it too.",
        ),
      );
    },
  };
}

export function loweringPanel(byteor: Byteor, go: (path: string) => void): Panel {
  const panel = body();
  return {
    name: "lower",
    title: "Lowering",
    panel,
    async show({ text, findings, errors }) {
      if (errors) return nothing(panel, findings);
      const said = await byteor.ask("lower", { document: text, explain: true });
      if (isRefused(said)) return nothing(panel, said.findings);
      const notes = "notes" in said ? said.notes : [];
      const rows = notes.map(({ path, message }) =>
        element("div", { class: "row" }, element("dt", {}, button(path, () => go(path), { class: "key" })), element("dd", {}, message)),
      );
      const none = element("p", { class: "empty" }, "Nothing was decided: the document says it all.");
      panel.replaceChildren(rows.length ? element("dl", { class: "notes" }, ...rows) : none);
    },
  };
}

const SIGNS = { added: "+", removed: "−", changed: "~", moved: ">" } as const;

/** The difference to another document, which is kept beside the one that is written. */
export function diffPanel(byteor: Byteor, other: { text: string }, kept: () => void, open: () => void): Panel {
  const panel = body();
  const result = element("div", { class: "result", "data-answer": "diff", "aria-live": "polite" });
  const area = element("textarea", { spellcheck: "false", "aria-label": "The other document", rows: "6", placeholder: "Paste another plan or spec here." });
  let last: Subject = { text: "", findings: [], errors: true };
  const take = (text: string): void => {
    other.text = area.value = text;
    kept();
    void show(last);
  };
  area.value = other.text;
  area.addEventListener("input", () => take(area.value));
  const tools = element(
    "div",
    { class: "tools left" },
    button("Keep what stands now", () => take(last.text), { class: "small" }),
    button("Open…", open, { class: "small" }),
    button("Clear", () => take(""), { class: "small" }),
  );
  panel.append(element("p", { class: "note" }, "What changed from the other document to this one."), tools, area, result);

  async function show(subject: Subject): Promise<void> {
    last = subject;
    area.value = other.text;
    if (!other.text.trim()) return result.replaceChildren(element("p", { class: "empty" }, "There is no other document yet."));
    if (subject.errors) return nothing(result, subject.findings);
    const said = await byteor.ask("diff", { old: other.text, new: subject.text });
    if (isRefused(said)) {
      const why = element("p", { class: "empty" }, `The other document has no spec: ${counted(said.findings)}.`);
      return result.replaceChildren(why);
    }
    result.replaceChildren(...changes(said));
  }
  return { name: "diff", title: "Diff", panel, show };
}

function changes({ changes }: Compared): Node[] {
  if (!changes.length) return [element("p", { class: "empty" }, "Equal: both have the same spec.")];
  const rows = changes.map(({ what, subject, old, new: now, path }) => {
    const values = element("span", { class: "values" });
    if (old !== null) values.append(element("del", {}, old || '""'));
    if (now !== null) values.append(element("ins", {}, now || '""'));
    const sign = element("b", { "aria-label": what }, SIGNS[what]);
    return element("li", { class: what, title: path }, sign, element("span", {}, subject), values);
  });
  return [element("ul", { class: "changes" }, ...rows)];
}

/** The page of a code, or the list of all. */
export class Explain implements Panel {
  name = "explain";
  title = "Explain";
  panel = body();
  #byteor: Byteor;
  #place = element("div", { class: "result" });
  #input = element("input", { list: "codes", placeholder: "S045, race …", "aria-label": "A code, or its name", autocomplete: "off" });
  #list = element("datalist", { id: "codes" });
  #filled = false;

  constructor(byteor: Byteor) {
    this.#byteor = byteor;
    const all = button("All codes", () => void this.open(""), { class: "small" });
    this.panel.append(element("div", { class: "tools left" }, this.#input, all, this.#list), this.#place);
    this.#input.addEventListener("change", () => void this.open(this.#input.value));
  }

  async show({ findings }: Subject): Promise<void> {
    if (!this.#filled) await this.open(findings[0]?.code ?? "");
  }

  async open(code: string): Promise<void> {
    const said = await this.#byteor.ask("explain", code ? { code } : {});
    this.#filled = true;
    this.#input.value = code;
    if (isRefused(said)) {
      const [why] = said.findings;
      this.#place.replaceChildren(element("p", { class: "empty" }, `${why?.message ?? ""}. ${why?.help ?? ""}`));
    } else if ("codes" in said) {
      this.#list.replaceChildren(...said.codes.map(({ code, name }) => element("option", { value: code }, name)));
      this.#place.replaceChildren(element("ul", { class: "codes" }, ...said.codes.map((page) => this.#item(page))));
    } else {
      this.#place.replaceChildren(...article(said));
    }
    this.panel.scrollTop = 0;
  }

  #item({ code, name }: Page): HTMLLIElement {
    return element("li", {}, button(code, () => void this.open(code), { class: "code" }), ` ${name}`);
  }
}

function article({ code, name, severity, doc }: Page): Node[] {
  const parts = doc.split(/^\s*(What|Why|Example|Instead):/m);
  const rows: Node[] = [];
  for (let at = 1; at < parts.length; at += 2) {
    const text = (parts[at + 1] ?? "").trim().replace(/\s*\n\s*/g, " ");
    rows.push(element("dt", {}, parts[at] ?? ""), element("dd", {}, ...marked(text)));
  }
  const head = element("h3", { class: severity }, element("span", { class: "code" }, code), ` ${name}`);
  return [head, rows.length ? element("dl", { class: "page" }, ...rows) : element("p", {}, doc)];
}
