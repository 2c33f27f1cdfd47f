/** Small means to make and find elements; texts are always texts, never markup. */

type Attributes = Record<string, string>;

/** Make an element. */
export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...inside: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...inside);
  return made;
}

/** A button that does something. */
export function button(text: string, act: () => void, attributes: Attributes = {}): HTMLButtonElement {
  const made = element("button", { type: "button", ...attributes }, text);
  made.addEventListener("click", act);
  return made;
}

/** A text in which what stands between backticks is code. */
export function marked(text: string): (Node | string)[] {
  return text.split("`").map((part, at) => (at % 2 ? element("code", {}, part) : part));
}

/** The element that the page has under an id. */
export function found<T extends HTMLElement = HTMLElement>(id: string): T {
  const there = document.getElementById(id);
  if (!there) throw new Error(`the page has no #${id}`);
  return there as T;
}

let fading: ReturnType<typeof setTimeout> | undefined;

/** Say something for a few seconds. */
export function toast(text: string): void {
  const place = found("toast");
  place.textContent = text;
  place.hidden = false;
  clearTimeout(fading);
  fading = setTimeout(() => (place.hidden = true), 4000);
}

/** Give a text to the reader as a file. */
export function save(name: string, text: string, type = "text/plain"): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  element("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
