/**
 * Completions for plans in TOML, out of the schema that the model plane gives.
 *
 * Rule 1. No key and no word is known here: they all come from the schema.
 */

import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import type { JsonSchema } from "../client";

interface Node {
  $ref?: string;
  type?: string;
  description?: string;
  enum?: string[];
  properties?: Record<string, Node>;
  additionalProperties?: Node | boolean;
  items?: Node;
  anyOf?: Node[];
  $defs?: Record<string, Node>;
}

export class Completions {
  #schema: Node = {};

  set schema(schema: JsonSchema) {
    this.#schema = schema as Node;
  }

  /** What may stand where the cursor is: a key of the section, or a word that the key takes. */
  source = (context: CompletionContext): CompletionResult | null => {
    const line = context.state.doc.lineAt(context.pos);
    const before = line.text.slice(0, context.pos - line.from);
    const word = /"?([a-z0-9_]*)$/.exec(before);
    const from = context.pos - (word?.[1]?.length ?? 0);
    const key = /^\s*([a-z_]+)\s*=\s*("[a-z0-9_]*)?$/.exec(before);
    const section = this.#section(context, line.number);
    if (key) return result(from, words(section[key[1] ?? ""], !key[2]));
    if (!/^\s*[a-z_]*$/.test(before) || (!context.explicit && before.trim() === "")) return null;
    return result(from, keys(section));
  };

  /** The keys of the section that a line stands in. */
  #section(context: CompletionContext, number: number): Record<string, Node> {
    for (let at = number - 1; at >= 1; at--) {
      const head = /^\s*\[\[?\s*([\w.-]+)\s*\]\]?/.exec(context.state.doc.line(at).text)?.[1];
      if (head) return this.#keys(head.split("."));
    }
    return this.#schema.properties ?? {};
  }

  #keys(path: string[]): Record<string, Node> {
    let node: Node | undefined = this.#schema;
    for (const part of path) node = this.#table(this.#below(node, part));
    return this.#table(node)?.properties ?? {};
  }

  #below(node: Node | undefined, part: string): Node | undefined {
    const open = node?.additionalProperties;
    return node?.properties?.[part] ?? (typeof open === "object" ? open : undefined);
  }

  /** The table that a node stands for, whether it is named, listed or one of several. */
  #table(node: Node | undefined): Node | undefined {
    if (!node) return undefined;
    if (node.$ref) return this.#table(this.#schema.$defs?.[node.$ref.split("/").at(-1) ?? ""]);
    if (node.items) return this.#table(node.items);
    const tables = (node.anyOf ?? []).map((one) => this.#table(one));
    return node.anyOf ? tables.find((one) => one?.properties ?? one?.additionalProperties) : node;
  }
}

function keys(section: Record<string, Node>): Completion[] {
  return Object.entries(section).map(([key, node]) => ({ label: key, type: "property", detail: kind(node), apply: `${key} = ` }));
}

function words(node: Node | undefined, quoted: boolean): Completion[] {
  if (node?.type === "boolean") return quoted ? ["true", "false"].map((label) => ({ label, type: "keyword" })) : [];
  return (node?.enum ?? []).map((label) => ({ label, type: "enum", apply: quoted ? `"${label}"` : label }));
}

function kind(node: Node): string {
  return node.enum ? node.enum.join(" | ") : (node.type ?? (node.items || node.anyOf ? "list" : ""));
}

function result(from: number, options: Completion[]): CompletionResult | null {
  return options.length ? { from, options, validFor: /^[a-z0-9_]*$/ } : null;
}
