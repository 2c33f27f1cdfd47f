/** The repository's own examples and specs, as they stand there. */

export interface Example {
  group: string;
  name: string;
  text: string;
}

// Placements lie beside their plans; they are no plans.
const plans = import.meta.glob<string>(["../../../examples/**/*.toml", "!../../../examples/**/*-hosts.toml"], {
  query: "?raw",
  import: "default",
  eager: true,
});
const specs = import.meta.glob<string>("../../../spec/vectors/*.kv", { query: "?raw", import: "default", eager: true });

const last = (path: string): string => path.split("/").at(-1) ?? path;
const folder = (path: string): string => path.split("/").at(-2) ?? path;

function planName(path: string): string {
  const file = last(path).replace(/\.toml$/, "");
  return file === "plan" ? folder(path) : `${folder(path)}, ${file}`;
}

const sorted = (found: Record<string, string>): [string, string][] =>
  Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1));

export const EXAMPLES: readonly Example[] = [
  ...sorted(plans).map(([path, text]) => ({ group: "Plans", name: planName(path), text })),
  ...sorted(specs).map(([path, text]) => ({ group: "Specs", name: last(path).replace(/\.kv$/, ""), text })),
];

/** What a first visitor sees: a diamond of four stages over real data. */
export const FIRST: string = EXAMPLES.find(({ name }) => name === "flights")?.text ?? EXAMPLES[0]?.text ?? "";
