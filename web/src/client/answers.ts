// Every question and every answer of the boundary. Written by `python -m dev gen` from the Python side.

/** A whole number; a text where it is beyond what a JavaScript number holds. */
export type Integer = number | string;

/** A document that is a tree: a spec in its JSON form. */
export type SpecTree =
  | { byteor: 1; kind: "single_ring"; single_ring: SingleRing }
  | { byteor: 1; kind: "lane_graph"; lane_graph: LaneGraph };

/** A JSON Schema. */
export type JsonSchema = { [key: string]: unknown };

/** Another place that a finding speaks of. */
export interface Related {
  path: string;
  label: string;
}

/** One finding; `path` is a key of the document, `line` counts from 1. */
export interface Finding {
  path: string;
  code: string;
  message: string;
  related: Related[];
  help: string;
  name: string;
  severity: "error" | "warning";
  line: number | null;
}

/** Why a question is not answered. */
export interface Refused {
  status: "refused";
  findings: Finding[];
}

/** What was found in a document, and the hash of its spec where it has no errors. */
export interface Checked {
  status: "ok" | "refused";
  form: "plan" | "kv" | "json";
  spec_sha256: string | null;
  findings: Finding[];
  proposals: string[];
}

/** One decision of lowering: the spec's key, and why it stands there. */
export interface Note {
  path: string;
  message: string;
}

/** What lowering decided. */
export interface Explained {
  notes: Note[];
}

/** A spec as a document of the form asked for. */
export interface Converted {
  status: "done";
  form: "kv" | "json";
  spec_sha256: string;
  text: string;
}

/** A spec in words. */
export interface Described {
  spec_sha256: string;
  text: string;
}

/** The SHA-256 of the spec's canonical bytes. */
export interface Hashed {
  spec_sha256: string;
}

/** One difference; `path` is a key of the new spec, for what was removed of the old one. */
export interface Change {
  what: "added" | "removed" | "changed" | "moved";
  subject: string;
  path: string;
  old: string | null;
  new: string | null;
}

/** What differs between two specs, by their hashes. */
export interface Compared {
  status: "equal" | "different";
  old: string;
  new: string;
  changes: Change[];
  text: string;
}

/** A drawing; `lines` gives the first and the last line of each of its parts, by the part's key. */
export interface Drawn {
  format: "text" | "svg" | "mermaid" | "dot";
  text: string;
  lines: { [key: string]: number[] };
}

/** What a code means. */
export interface Page {
  code: string;
  name: string;
  severity: "error" | "warning";
  doc: string;
}

/** What all codes mean. */
export interface Pages {
  codes: Page[];
}

/** The C structs of a spec's types. */
export interface Structs {
  format: "c";
  text: string;
}

/** The version of byteor. */
export interface Version {
  byteor: string;
}

/** An explicit DAG of stages over one sequenced ring; `type` is the slot's message type. */
export interface SingleRing {
  name: string;
  types?: MessageType[];
  type: string;
  capacity: Integer;
  slot_bytes: Integer;
  wait: string;
  shards: Integer;
  ordering: string;
  producer: string;
  scheduling: string;
  shard_key?: string;
  ingress: Ingress;
  stages?: Stage[];
  egress?: Egress;
}

/** A packed record: fields one after the other, no padding. */
export interface MessageType {
  name: string;
  fields?: Field[];
}

/** One field of a message: `count` scalars of `type`; `null` is the text of the value that means missing. */
export interface Field {
  name: string;
  type: string;
  count?: Integer;
  null?: string;
}

/** Where records come in. `null_text`: the texts that mean missing in text formats; `bad`: fail | skip. */
export interface Ingress {
  name: string;
  type: string;
  format: string;
  null_text?: string[];
  bad: string;
  sort_by?: string;
}

/** One stage. `call` is `module:function`, a registered name, or `identity`. */
export interface Stage {
  name: string;
  call: string;
  form: string;
  compiled: boolean;
  in: string;
  out: string;
  min_out: Integer;
  max_out: Integer;
  state?: State;
  end?: End;
  reads?: string[];
  writes?: string[];
  borders: boolean;
  clock: boolean;
  boundscheck: boolean;
  params?: Param[];
  depends_on?: Integer[];
  src?: boolean;
}

/** What a stage keeps: one record of `type`, or keyed by fields, `max` records a shard. */
export interface State {
  type: string;
  by?: string[];
  max?: Integer;
}

/** The records that a stage gives once, after the last message: at most `max` of `type`. */
export interface End {
  type: string;
  max: Integer;
}

/** A named scalar given to a stage: hashed, but a new value compiles nothing anew. */
export interface Param {
  name: string;
  type: string;
  value: string;
}

/** Where records leave. `emit`: rows | end | both; `sort`: the key of the `end` records. */
export interface Egress {
  name: string;
  type: string;
  format: string;
  null_text: string;
  emit: string;
  sort?: string[];
  row_group: Integer;
}

/** A whole plant; its graph of lanes and roles has no cycle. */
export interface LaneGraph {
  name: string;
  types?: MessageType[];
  wait: string;
  on_full: string;
  lanes?: Lane[];
  ingresses?: LaneIngress[];
  stages?: StageRole[];
  bridges?: Bridge[];
  routers?: Router[];
  merges?: Merge[];
  egresses?: LaneEgress[];
}

/** One lane: `producers` rings of `capacity` slots, read by `consumers` gates. */
export interface Lane {
  name: string;
  kind: string;
  type: string;
  capacity: Integer;
  slot_bytes: Integer;
  producers: Integer;
  consumers: Integer;
  on_full: string;
  retain?: string;
  order?: Order;
}

/** How the records of a lane before an ordering merge compare: by the field `by`, then by their order word. */
export interface Order {
  by: string;
  numbering: Integer;
  late: string;
}

/** Records come in here and go to the lane `to`. */
export interface LaneIngress {
  to: string;
  ingress: Ingress;
}

/** One lane in, one lane out, a stage between; the stage's `depends_on` is (). */
export interface StageRole {
  from: string;
  to: string;
  stage: Stage;
}

/** Lane to lane, nothing changed: where kinds meet. */
export interface Bridge {
  name: string;
  from: string;
  to: string;
}

/** One lane to many; `key` is set for `by_key` alone. */
export interface Router {
  name: string;
  from: string;
  to?: string[];
  policy: string;
  key?: string;
}

/** Many lanes to one; `field` is set for `by_field` alone; `stamp` is the field that gets the place in `from`. */
export interface Merge {
  name: string;
  from?: string[];
  to: string;
  policy: string;
  field?: string;
  stamp?: string;
  late: string;
}

/** Records of the lane `from` leave here. */
export interface LaneEgress {
  from: string;
  egress: Egress;
}

/** What each question takes. */
export interface Requests {
  check: { document: string; profile?: string; strict?: boolean };
  lower: { document: string; explain?: boolean };
  convert: { document: string; to?: string };
  describe: { document: string };
  hash: { document: string };
  diff: { old: string; new: string };
  graph: { document: string; format?: string; top_down?: boolean; plan?: boolean };
  explain: { code?: string };
  schema: { header?: string };
  version: Record<string, never>;
}

/** What each question is answered with. */
export interface Answers {
  check: Checked;
  lower: SpecTree | Explained;
  convert: Converted;
  describe: Described;
  hash: Hashed;
  diff: Compared;
  graph: Drawn;
  explain: Page | Pages;
  schema: JsonSchema | Structs;
  version: Version;
}

/** The longest request that is taken, in characters. */
export const MAX_REQUEST = 4194304;
