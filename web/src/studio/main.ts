/**
 * The studio: a document on one side, what it means on the other.
 *
 * Rule 1. Whatever is shown of a document was answered by Python in the worker; the page decides nothing.
 * Rule 2. One question is on its way at a time; what was typed meanwhile is asked next, and only the latest of it.
 */

import { Byteor, isRefused, MAX_REQUEST, type Checked, type State, type Versions } from "../client";
import { Completions } from "./completions";
import { Drawing } from "./drawing";
import { Editor } from "./editor";
import { EXAMPLES, FIRST } from "./examples";
import { fill } from "./menus";
import { found, save, toast } from "./page";
import { diffPanel, Explain, hashPanel, loweringPanel, type Panel, type Subject, textPanel } from "./panels";
import * as problems from "./problems";
import { packed, unpacked } from "./share";
import * as store from "./store";
import { Tabs } from "./tabs";

const PAUSE = 120; // milliseconds after the last key

class Studio {
  #other = { text: "" };
  #completions = new Completions();
  #editor: Editor;
  #byteor: Byteor;
  #drawing: Drawing;
  #panels: Panel[];
  #explain: Explain;
  #tabs: Tabs;
  #subject: Subject = { text: "", findings: [], errors: true };
  #timer: ReturnType<typeof setTimeout> | undefined;
  #busy = false;
  #again = false;
  #lost = { text: "", times: 0 };
  #ready = false;
  #why = ""; // the worker before this one was lost
  #opens: "document" | "other" = "document";
  #full = false;

  constructor(text: string, kept: Partial<store.Kept>) {
    this.#other.text = kept.other ?? "";
    const heard = {
      change: () => this.#changed(),
      cursor: (line: number) => this.#drawing?.mark(line),
      explain: (code: string) => this.#explainCode(code),
    };
    this.#drawing = new Drawing((line) => this.#editor.go(line));
    this.#editor = new Editor(found("editor"), text, heard, this.#completions.source);
    this.#byteor = new Byteor({
      runtime: "./pyodide/",
      wheel: "./byteor.whl",
      worker: () => new Worker(new URL("../client/worker.ts", import.meta.url), { type: "module" }),
      onstate: (state) => this.#state(state),
    });
    this.#explain = new Explain(this.#byteor);
    this.#panels = [
      textPanel(this.#byteor, "convert", "Spec"),
      textPanel(this.#byteor, "describe", "Describe"),
      hashPanel(this.#byteor),
      loweringPanel(this.#byteor, (path) => this.#goTo(path)),
      diffPanel(this.#byteor, this.#other, () => this.#keep(), () => this.#open("other")),
      this.#explain,
    ];
    this.#tabs = new Tabs(this.#panels, kept.tab ?? "", () => this.#chosen());
    this.#actions();
    this.#changed();
  }

  // What is written

  #changed(): void {
    const form = this.#editor.recognise();
    found("form").textContent = { toml: "Plan, TOML", json: "JSON", kv: "Spec, kv" }[form];
    if (location.hash) history.replaceState(null, "", location.pathname + location.search);
    this.#keep();
    this.#working(true);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#refresh();
    }, PAUSE);
  }

  #keep(): void {
    const room = store.keep({ text: this.#editor.text, other: this.#other.text, tab: this.#tabs?.active ?? "" });
    if (!room && !this.#full) toast("The document is too large to be kept between visits.");
    this.#full = !room;
  }

  #take(text: string): void {
    this.#editor.replace(text);
    this.#editor.focus();
  }

  // What it means

  async #refresh(): Promise<void> {
    if (this.#busy || !this.#ready) {
      this.#again = true;
      return;
    }
    this.#busy = true;
    try {
      do {
        this.#again = false;
        await this.#round(this.#editor.text);
      } while (this.#again);
      this.#working(this.#timer !== undefined);
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#busy = false;
    }
  }

  /** Ask everything that is shown of one state of the document; stop when it is no longer the latest. */
  async #round(text: string): Promise<void> {
    this.#subject = { text, findings: [], errors: true };
    const said = await this.#byteor.ask("check", { document: text });
    if (this.#again) return;
    this.#findings(said.findings, isRefused(said) ? undefined : said);
    await this.#draw(text, this.#subject.errors);
    if (!this.#again) await this.#panel()?.show(this.#subject);
    this.#lost.times = 0;
  }

  #findings(findings: Checked["findings"], said: Checked | undefined): void {
    const errors = said?.status !== "ok";
    this.#subject = { ...this.#subject, findings, errors };
    this.#editor.show(findings);
    problems.show(findings, { go: (line) => this.#editor.go(line), explain: (code) => this.#explainCode(code) });
    this.#status(errors ? "bad" : findings.length ? "odd" : "ok", problems.counted(findings) || "No findings");
    if (said?.spec_sha256) found("status").title = `spec ${said.spec_sha256}`;
    else found("status").removeAttribute("title");
  }

  /** Draw the spec; the plan as written where it has none; else leave what was drawn last. */
  async #draw(text: string, errors: boolean): Promise<void> {
    const top_down = this.#drawing.narrow;
    const said = await this.#byteor.ask("graph", { document: text, format: "svg", top_down, plan: errors });
    if (isRefused(said)) this.#drawing.stale("as it was before the errors");
    else this.#drawing.show(said, errors ? "the plan as written" : "what it lowers to");
    this.#drawing.mark(this.#editor.line);
  }

  #panel(): Panel | undefined {
    return this.#panels.find(({ name }) => name === this.#tabs.active);
  }

  #chosen(): void {
    this.#keep();
    if (this.#ready && this.#subject.text) void this.#panel()?.show(this.#subject).catch((error) => this.#failed(error));
  }

  #explainCode(code: string): void {
    void this.#explain.open(code).then(
      () => this.#tabs.open("explain"),
      (error) => this.#failed(error),
    );
  }

  /** Go to the line of a key of the spec, as far as the drawing knows it. */
  #goTo(path: string): void {
    const line = this.#drawing.lineOf(path);
    if (line === undefined) toast("This stands in no line of the document: lowering made it.");
    else this.#editor.go(line);
  }

  // How the worker is

  #state(state: State): void {
    this.#ready = state.is === "ready";
    if (state.is === "loading") this.#status("loading", this.#why || "Loading Python…");
    else if (state.is === "ready") this.#loaded(state.versions);
    else if (state.is === "lost") this.#why = `The worker was lost (${state.why}); starting another one`;
    else this.#status("bad", `Python could not be loaded: ${state.why}`);
  }

  #loaded({ byteor, pyodide, python }: Versions): void {
    this.#why = "";
    found("versions").textContent = `byteor ${byteor} · Pyodide ${pyodide} · Python ${python}`;
    void this.#byteor.ask("schema", {}).then(
      (schema) => void (isRefused(schema) || (this.#completions.schema = schema as Record<string, unknown>)),
      (error) => this.#failed(error),
    );
    if (this.#lost.times > 1 && this.#lost.text === this.#editor.text) {
      this.#unanswered("No answer in time for this document; edit it to try again");
    } else {
      void this.#refresh();
    }
  }

  /** A question got no answer: the same document is tried once more, and then left alone. */
  #failed(error: unknown): void {
    const text = this.#editor.text;
    this.#lost = { text, times: this.#lost.text === text ? this.#lost.times + 1 : 1 };
    this.#working(false);
    if (error instanceof Error && error.name === "TooLong") this.#unanswered("The document is too large for a page");
    else if (!(error instanceof Error && error.name === "Lost")) throw error;
  }

  /** There is nothing to show of this document. */
  #unanswered(why: string): void {
    this.#findings([], undefined);
    this.#drawing.stale("as it was before");
    this.#status("bad", why);
  }

  /** Whether what is shown may not be of the latest text yet. */
  #working(is: boolean): void {
    found("panes").setAttribute("aria-busy", String(is));
  }

  #status(is: string, text: string): void {
    const place = found("status");
    place.dataset["is"] = is;
    place.textContent = text;
  }

  // What can be done

  #actions(): void {
    fill("examples", EXAMPLES.map(({ group, name, text }) => ({ group, name, act: () => this.#take(text) })));
    fill("export", this.#exports());
    found("import").addEventListener("click", () => this.#open("document"));
    found("share").addEventListener("click", () => void this.#share());
    found("reset").addEventListener("click", () => found<HTMLDialogElement>("ask-reset").showModal());
    found<HTMLDialogElement>("ask-reset").addEventListener("close", (event) => this.#reset(event));
    found("theme").addEventListener("click", () => this.#theme(store.theme() === "dark" ? "light" : "dark"));
    found<HTMLInputElement>("file").addEventListener("change", (event) => void this.#import(event.target as HTMLInputElement));
    window.addEventListener("keydown", (event) => this.#key(event));
    window.addEventListener("dragover", (event) => event.preventDefault());
    window.addEventListener("drop", (event) => this.#drop(event));
    window.addEventListener("hashchange", () => void this.#follow());
    this.#pressed();
    let narrow = this.#drawing.narrow;
    new ResizeObserver(() => {
      if (narrow !== this.#drawing.narrow) void this.#refresh();
      narrow = this.#drawing.narrow;
    }).observe(found("graph"));
  }

  #exports(): { group: string; name: string; act: () => void }[] {
    const document = (): void => {
      const end = { toml: "plan.toml", json: "document.json", kv: "spec.kv" }[this.#editor.language];
      save(end, this.#editor.text);
    };
    const spec = async (to: "kv" | "json"): Promise<void> => {
      const said = await this.#byteor.ask("convert", { document: this.#editor.text, to });
      if (isRefused(said)) toast(`There is no spec yet: ${problems.counted(said.findings)}.`);
      else save(`spec.${to}`, said.text);
    };
    const drawing = async (): Promise<void> => {
      const said = await this.#byteor.ask("graph", { document: this.#editor.text, plan: this.#subject.errors });
      if (isRefused(said)) toast("There is nothing to draw yet.");
      else save("graph.svg", said.text, "image/svg+xml");
    };
    const quietly = (made: Promise<void>): void => void made.catch((error) => this.#failed(error));
    return [
      { group: "As it is written", name: "The document", act: document },
      { group: "What it means", name: "Spec, kv", act: () => quietly(spec("kv")) },
      { group: "What it means", name: "Spec, JSON", act: () => quietly(spec("json")) },
      { group: "What it means", name: "Graph, SVG", act: () => quietly(drawing()) },
    ];
  }

  #key(event: KeyboardEvent): void {
    if (event.key !== "F8") return;
    event.preventDefault();
    const finding = this.#editor.next(event.shiftKey ? -1 : 1);
    toast(finding ? `${finding.code}: ${finding.message}` : "No finding has a line.");
  }

  #open(what: "document" | "other"): void {
    this.#opens = what;
    found<HTMLInputElement>("file").click();
  }

  async #import(input: HTMLInputElement): Promise<void> {
    const [file] = input.files ?? [];
    input.value = "";
    if (file) await this.#read(file, this.#opens);
  }

  #drop(event: DragEvent): void {
    const [file] = event.dataTransfer?.files ?? [];
    if (!file) return;
    event.preventDefault();
    void this.#read(file, "document");
  }

  /** Take a file as it is, a byte order mark and all: Python says what is wrong with it. */
  async #read(file: File, what: "document" | "other"): Promise<void> {
    if (file.size > MAX_REQUEST) return toast(`${file.name} is too large for a page.`);
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(await file.arrayBuffer());
    if (what === "document") return this.#take(text);
    this.#other.text = text;
    this.#keep();
    this.#chosen();
  }

  async #share(): Promise<void> {
    const fragment = await packed(this.#editor.text);
    history.replaceState(null, "", fragment);
    const size = fragment.length > 8000 ? ` It is ${fragment.length} characters long; some programs cut it.` : "";
    try {
      await navigator.clipboard.writeText(location.href);
      toast(`The link is copied.${size}`);
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      toast(`The link stands in the address bar.${size}`);
    }
  }

  /** A link was opened in this very page. */
  async #follow(): Promise<void> {
    const text = await shared();
    if (text !== undefined) this.#take(text);
  }

  #reset(event: Event): void {
    if ((event.target as HTMLDialogElement).returnValue !== "reset") return;
    this.#other.text = "";
    this.#take(FIRST);
    this.#tabs.open(this.#panels[0]?.name ?? "");
    this.#theme(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    store.forget();
  }

  #theme(name: string): void {
    store.setTheme(name);
    this.#pressed();
  }

  #pressed(): void {
    found("theme").setAttribute("aria-pressed", String(store.theme() === "dark"));
  }
}

/** The document of the address; a broken link is said, and is nothing. */
async function shared(): Promise<string | undefined> {
  try {
    return await unpacked(location.hash);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    toast("The link holds no document that can be read.");
    return undefined;
  }
}

const kept = store.recall();
new Studio((await shared()) ?? kept.text ?? FIRST, kept);
