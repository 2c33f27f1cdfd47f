/**
 * What is kept between visits, in this browser alone.
 *
 * Rule 1. What was kept by another version, or cannot be read, is as if it were not there.
 */

export interface Kept {
  text: string;
  other: string;
  tab: string;
}

/** The browser's store; nothing where the reader forbids it. */
const STORE: Storage | undefined = (() => {
  try {
    return localStorage;
  } catch (error) {
    if (error instanceof DOMException && error.name === "SecurityError") return undefined;
    throw error;
  }
})();
const KEY = "byteor-studio";
const THEME = "byteor-theme";

export function recall(): Partial<Kept> {
  try {
    const found: unknown = JSON.parse(STORE?.getItem(KEY) ?? "{}");
    return typeof found === "object" && found !== null ? strings(found) : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

function strings(found: object): Partial<Kept> {
  return Object.fromEntries(Object.entries(found).filter(([, value]) => typeof value === "string"));
}

/** Keep; answers whether there was room. */
export function keep(kept: Kept): boolean {
  try {
    STORE?.setItem(KEY, JSON.stringify(kept));
    return true;
  } catch (error) {
    if (error instanceof DOMException && error.name === "QuotaExceededError") return false;
    throw error;
  }
}

export function forget(): void {
  STORE?.removeItem(KEY);
  STORE?.removeItem(THEME);
}

export function theme(): string {
  return document.documentElement.dataset["theme"] ?? "light";
}

export function setTheme(name: string): void {
  document.documentElement.dataset["theme"] = name;
  STORE?.setItem(THEME, name);
}
