/** Tabs as the pattern has them: one stop for Tab, arrows, Home and End between them. */

import { element, found } from "./page";

export interface Tab {
  name: string;
  title: string;
  panel: HTMLElement;
}

export class Tabs {
  #tabs: readonly Tab[];
  #buttons = new Map<string, HTMLButtonElement>();
  #chosen: (name: string) => void;
  active: string;

  constructor(tabs: readonly Tab[], active: string, chosen: (name: string) => void) {
    this.#tabs = tabs;
    this.#chosen = chosen;
    this.active = tabs.some(({ name }) => name === active) ? active : (tabs[0]?.name ?? "");
    for (const tab of tabs) this.#add(tab);
    found("tabs").addEventListener("keydown", (event) => this.#key(event));
    this.#show();
  }

  #add({ name, title, panel }: Tab): void {
    const made = element("button", { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": `panel-${name}` }, title);
    made.addEventListener("click", () => this.open(name));
    this.#buttons.set(name, made);
    found("tabs").append(made);
    panel.id = `panel-${name}`;
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", `tab-${name}`);
    panel.tabIndex = 0;
    found("panels").append(panel);
  }

  open(name: string): void {
    this.active = name;
    this.#show();
    this.#chosen(name);
  }

  #show(): void {
    for (const { name, panel } of this.#tabs) {
      const is = name === this.active;
      panel.hidden = !is;
      const one = this.#buttons.get(name);
      one?.setAttribute("aria-selected", String(is));
      if (one) one.tabIndex = is ? 0 : -1;
    }
  }

  #key(event: KeyboardEvent): void {
    const names = this.#tabs.map(({ name }) => name);
    const at = names.indexOf(this.active);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: names.length - 1 }[event.key];
    const name = to === undefined ? undefined : names.at(to % names.length);
    if (name === undefined) return;
    event.preventDefault();
    this.open(name);
    this.#buttons.get(name)?.focus();
  }
}
