/** The menus: native popovers under their buttons, with arrows between their entries. */

import { button, element, found } from "./page";

export interface Entry {
  group: string;
  name: string;
  act: () => void;
}

export function fill(id: string, entries: readonly Entry[]): void {
  const menu = found(id);
  const opener = found(`${id}-button`);
  let group = "";
  menu.replaceChildren();
  for (const entry of entries) {
    if (entry.group !== group) menu.append(element("p", { class: "group" }, entry.group));
    group = entry.group;
    const act = (): void => {
      menu.hidePopover();
      entry.act();
    };
    menu.append(button(entry.name, act));
  }
  menu.addEventListener("toggle", () => place(menu, opener));
  menu.addEventListener("keydown", (event) => move(menu, event));
}

function place(menu: HTMLElement, opener: HTMLElement): void {
  const under = opener.getBoundingClientRect();
  menu.style.top = `${under.bottom + 6}px`;
  menu.style.left = `${Math.max(8, Math.min(under.left, innerWidth - menu.offsetWidth - 8))}px`;
  if (menu.matches(":popover-open")) menu.querySelector("button")?.focus();
}

function move(menu: HTMLElement, event: KeyboardEvent): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const buttons = [...menu.querySelectorAll("button")];
  const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
  buttons.at((at + step) % buttons.length)?.focus();
}
