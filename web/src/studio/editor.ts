/**
 * The editor: CodeMirror in a shadow root, where its styles need no leave from the page's policy.
 *
 * Rule 1. It shows findings and says where the cursor is; what a document means is asked elsewhere.
 */

import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, type CompletionSource } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching, HighlightStyle, indentUnit, StreamLanguage, syntaxHighlighting } from "@codemirror/language";
import { json } from "@codemirror/legacy-modes/mode/javascript";
import { properties } from "@codemirror/legacy-modes/mode/properties";
import { toml } from "@codemirror/legacy-modes/mode/toml";
import { type Diagnostic, lintGutter, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, type Extension, type Line } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, highlightSpecialChars, keymap, lineNumbers } from "@codemirror/view";
import { tags as t } from "@lezer/highlight";
import type { Finding } from "../client";
import { element, marked } from "./page";

export type Language = "toml" | "json" | "kv";

const LANGUAGES: Record<Language, () => Extension> = {
  toml: () => StreamLanguage.define(toml),
  json: () => StreamLanguage.define({ ...json, tokenTable: { property: t.propertyName } }),
  kv: () => StreamLanguage.define(properties),
};

/** What a text is written in, for its colours alone. */
export function languageOf(text: string): Language {
  const head = text.slice(0, 4096).trimStart();
  if (head.startsWith("{")) return "json";
  return /^(#.*\n|\s*\n)*byteor\.kv=/.test(head) ? "kv" : "toml";
}

const COLOURS = HighlightStyle.define([
  { tag: [t.propertyName, t.definition(t.propertyName), t.variableName], color: "var(--code-key)" },
  { tag: [t.string, t.special(t.string)], color: "var(--code-text)" },
  { tag: [t.number, t.bool, t.atom, t.null, t.literal], color: "var(--code-value)" },
  { tag: [t.keyword, t.heading, t.typeName, t.bracket], color: "var(--code-head)" },
  { tag: [t.comment, t.lineComment], color: "var(--code-comment)", fontStyle: "italic" },
]);

const FRAME = EditorView.theme({
  "&": { height: "100%", color: "var(--text)", backgroundColor: "var(--paper)", fontSize: "13px" },
  "&.cm-focused": { outline: "none" }, // the page marks its frame
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.6" },
  ".cm-content": { caretColor: "var(--text)", padding: "10px 0" },
  ".cm-cursor, .cm-dropCursor": { borderLeftColor: "var(--text)", borderLeftWidth: "2px" },
  ".cm-gutters": { backgroundColor: "var(--paper)", color: "var(--faint)", border: "none", paddingLeft: "4px" },
  ".cm-activeLine": { backgroundColor: "var(--line-active)" },
  ".cm-activeLineGutter": { backgroundColor: "transparent", color: "var(--text)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    background: "var(--selection)",
  },
  ".cm-matchingBracket": { backgroundColor: "var(--selection)", outline: "none" },
  ".cm-selectionMatch": { backgroundColor: "var(--selection)" },
  ".cm-lintRange-error": { backgroundImage: "none", borderBottom: "2px solid var(--bad)", paddingBottom: "1px" },
  ".cm-lintRange-warning": { backgroundImage: "none", borderBottom: "2px dashed var(--odd)", paddingBottom: "1px" },
  ".cm-gutter-lint": { width: "14px" },
  ".cm-lint-marker": { width: "8px", height: "8px", borderRadius: "50%", margin: "4px 3px", padding: "0", content: "none" },
  ".cm-lint-marker-error": { background: "var(--bad)" },
  ".cm-lint-marker-warning": { background: "var(--odd)" },
  ".cm-tooltip": {
    border: "1px solid var(--edge)",
    borderRadius: "8px",
    backgroundColor: "var(--paper)",
    color: "var(--text)",
    boxShadow: "var(--shadow)",
    maxWidth: "min(520px, 92vw)",
  },
  ".cm-diagnostic": { border: "none", padding: "8px 12px", whiteSpace: "normal", font: "13px/1.5 var(--sans)" },
  ".cm-diagnostic code": { font: "12px var(--mono)", background: "var(--ground)", borderRadius: "4px", padding: "0 3px" },
  ".cm-diagnostic .help": { display: "block", color: "var(--muted)" },
  ".cm-diagnosticAction": {
    background: "none",
    color: "var(--accent)",
    font: "600 12px var(--sans)",
    padding: "2px 0",
    margin: "2px 0 0",
    textDecoration: "underline",
    cursor: "pointer",
  },
  ".cm-panels": { backgroundColor: "var(--ground)", color: "var(--text)" },
  ".cm-panels button, .cm-panels input": { font: "12px var(--sans)", color: "inherit" },
  ".cm-textfield, .cm-button": { background: "var(--paper)", border: "1px solid var(--edge)", borderRadius: "6px" },
  ".cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": { background: "var(--accent)", color: "var(--on-accent)" },
});

export interface Heard {
  change: () => void;
  cursor: (line: number) => void;
  explain: (code: string) => void;
}

export class Editor {
  #view: EditorView;
  #language = new Compartment();
  #written: Language;
  #findings: readonly Finding[] = [];
  #heard: Heard;

  constructor(host: HTMLElement, text: string, heard: Heard, completions: CompletionSource) {
    this.#heard = heard;
    this.#written = languageOf(text);
    const root = host.attachShadow({ mode: "open" });
    const parent = element("div");
    root.adoptedStyleSheets = [sheet(":host, :host > div { height: 100% }")];
    root.append(parent);
    this.#view = new EditorView({ parent, root, state: this.#state(text, completions) });
  }

  #state(text: string, completions: CompletionSource): EditorState {
    return EditorState.create({
      doc: text,
      extensions: [
        EditorState.lineSeparator.of("\n"), // so that a carriage return is kept, and found
        EditorView.clipboardInputFilter.of((pasted) => pasted.replaceAll("\r\n", "\n")),
        EditorView.domEventObservers({ keydown: escape }),
        lineNumbers(),
        highlightSpecialChars(),
        lintGutter(),
        history(),
        drawSelection(),
        bracketMatching(),
        closeBrackets(),
        highlightActiveLine(),
        highlightSelectionMatches(),
        autocompletion({ override: [completions] }),
        indentUnit.of("    "),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ "aria-label": "The document's text", spellcheck: "false", tabindex: "0" }),
        keymap.of([...closeBracketsKeymap, ...completionKeymap, ...searchKeymap, ...historyKeymap, indentWithTab]),
        keymap.of(defaultKeymap),
        this.#language.of(LANGUAGES[this.#written]()),
        syntaxHighlighting(COLOURS),
        FRAME,
        EditorView.updateListener.of((update) => {
          if (update.docChanged) this.#heard.change();
          if (update.selectionSet || update.docChanged) this.#heard.cursor(this.line);
        }),
      ],
    });
  }

  get text(): string {
    return this.#view.state.doc.toString();
  }

  /** Take another document; what was there can be had back by undoing. */
  replace(text: string): void {
    this.#view.dispatch({ changes: { from: 0, to: this.#view.state.doc.length, insert: text }, selection: { anchor: 0 } });
    this.#view.scrollDOM.scrollTop = 0;
  }

  /** The line that the cursor is in, from 1. */
  get line(): number {
    return this.#view.state.doc.lineAt(this.#view.state.selection.main.head).number;
  }

  get language(): Language {
    return this.#written;
  }

  /** Colour the text as what it is now. */
  recognise(): Language {
    const found = languageOf(this.#view.state.sliceDoc(0, 4096));
    if (found !== this.#written) {
      this.#written = found;
      this.#view.dispatch({ effects: this.#language.reconfigure(LANGUAGES[found]()) });
    }
    return found;
  }

  /** Show findings under their lines. */
  show(findings: readonly Finding[]): void {
    this.#findings = findings;
    const shown = findings.flatMap((finding) => this.#diagnostic(finding) ?? []);
    this.#view.dispatch(setDiagnostics(this.#view.state, shown));
  }

  #diagnostic(finding: Finding): Diagnostic | undefined {
    const line = this.#line(finding.line);
    if (!line) return undefined;
    const [from, to] = value(line);
    return {
      from,
      to,
      severity: finding.severity,
      message: finding.message,
      source: finding.code,
      renderMessage: () => element("span", {}, ...marked(finding.message), help(finding)),
      actions: [{ name: `${finding.code} ${finding.name}`, apply: () => this.#heard.explain(finding.code) }],
    };
  }

  #line(number: number | null): Line | undefined {
    const { doc } = this.#view.state;
    return number !== null && number >= 1 && number <= doc.lines ? doc.line(number) : undefined;
  }

  /** Go to a line, and select what stands there. */
  go(number: number, focus = true): void {
    const line = this.#line(number);
    if (!line) return;
    const [anchor, head] = value(line);
    this.#view.dispatch({ selection: { anchor, head }, effects: EditorView.scrollIntoView(anchor, { y: "center" }) });
    if (focus) this.#view.focus();
  }

  /** Go to the next finding that has a line, around the end; answers which it is. */
  next(step: 1 | -1): Finding | undefined {
    const placed = this.#findings.filter(({ line }) => this.#line(line));
    const ahead = placed.filter(({ line }) => (step > 0 ? (line ?? 0) > this.line : (line ?? 0) < this.line));
    const found = step > 0 ? (ahead[0] ?? placed[0]) : (ahead.at(-1) ?? placed.at(-1));
    if (found?.line != null) this.go(found.line);
    return found;
  }

  focus(): void {
    this.#view.focus();
  }
}

/** After Escape, whatever else it did, Tab leaves the editor for two seconds. */
function escape(event: KeyboardEvent, view: EditorView): void {
  if (event.key === "Escape") view.setTabFocusMode(2000);
}

/** The part of a line that a finding speaks of: its value, else all that is not blank. */
function value(line: Line): [number, number] {
  const text = line.text.trimEnd();
  const key = /^[^=]*=\s*/.exec(text)?.[0].length ?? 0;
  const start = key > 0 && key < text.length ? key : text.length - text.trimStart().length;
  return [line.from + start, line.from + Math.max(text.length, start)];
}

function help(finding: Finding): Node {
  return finding.help ? element("span", { class: "help" }, ...marked(finding.help)) : document.createTextNode("");
}

function sheet(text: string): CSSStyleSheet {
  const made = new CSSStyleSheet();
  made.replaceSync(text);
  return made;
}
