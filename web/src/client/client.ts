/**
 * The typed client: questions to the boundary, answered by a worker that is replaced when it is lost.
 *
 * Rule 1. An answer is what Python says; nothing is decided here.
 * Rule 2. A worker that dies, or does not answer in time, is replaced, and whoever waited is told.
 */

import type { Answers, Refused, Requests } from "./answers";
import { MAX_REQUEST } from "./answers";
import { parse } from "./json";
import type { Said, Versions } from "./messages";

export type Question = keyof Requests & keyof Answers;

export interface Options {
  /** The folder of Pyodide's files: its address, relative to the page. */
  runtime: string | URL;
  /** The address of `byteor.whl`, relative to the page. */
  wheel: string | URL;
  /** Makes a worker; bundlers find `new Worker(new URL("byteor/worker", import.meta.url), { type: "module" })`. */
  worker: () => Worker;
  /** How long one question may take, in milliseconds. */
  patience?: number;
  /** How long loading may take, in milliseconds. */
  loading?: number;
  /** Told whenever the worker's state changes. */
  onstate?: (state: State) => void;
}

/** What the worker is doing; `lost` is followed by `loading`, as long as loading has worked before. */
export type State =
  | { is: "loading" }
  | { is: "ready"; versions: Versions }
  | { is: "lost"; why: string }
  | { is: "failed"; why: string };

/** The worker was lost before it answered; the question may be asked again. */
export class Lost extends Error {
  override name = "Lost";
}

/** The request is longer than any worker takes. */
export class TooLong extends Error {
  override name = "TooLong";
}

interface Waiting {
  resolve: (answer: string) => void;
  reject: (error: Error) => void;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** Whether a question was refused; what it would be answered with otherwise has no such status without a form. */
export function isRefused(answer: object): answer is Refused {
  return "status" in answer && answer.status === "refused" && !("form" in answer);
}

export class Byteor {
  #options: Options;
  #worker: Worker | undefined;
  #waiting = new Map<number, Waiting>();
  #next = 0;
  #loaded = false;
  #ready!: Promise<Versions>;
  #told!: { resolve: (versions: Versions) => void; reject: (error: Error) => void };
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: Options) {
    this.#options = options;
    this.#start();
  }

  /** What runs in the worker, once it does. */
  get ready(): Promise<Versions> {
    return this.#ready;
  }

  /** Ask, and read the answer. */
  async ask<Q extends Question>(question: Q, request: Requests[Q]): Promise<Answers[Q] | Refused> {
    return parse(await this.text(question, request)) as Answers[Q] | Refused;
  }

  /** Ask, and take the answer as the text that the command line prints. */
  async text<Q extends Question>(question: Q, request: Requests[Q]): Promise<string> {
    const text = JSON.stringify(request);
    if (text.length > MAX_REQUEST) throw new TooLong(`the request has ${text.length} characters`);
    await this.#ready;
    return this.#post(question, text);
  }

  /** Begin anew after loading has failed. */
  restart(): void {
    if (!this.#worker) this.#start();
  }

  /** End the worker; whoever waits is told. */
  close(): void {
    this.#end("closed");
  }

  #post(name: Question, request: string): Promise<string> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, timer: undefined });
      if (this.#waiting.size === 1) this.#watch(id);
      this.#worker?.postMessage({ id, name, request });
    });
  }

  /** Questions are answered in order, so only the first one's time runs. */
  #watch(id: number): void {
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    const patience = this.#options.patience ?? 10_000;
    waiting.timer = setTimeout(() => this.#lose(`no answer within ${patience / 1000} s`), patience);
  }

  #start(): void {
    this.#ready = new Promise((resolve, reject) => (this.#told = { resolve, reject }));
    this.#ready.catch(() => undefined); // whoever asks waits for it too, and is told there
    this.#options.onstate?.({ is: "loading" });
    const worker = (this.#worker = this.#options.worker());
    worker.onmessage = ({ data }: MessageEvent<Said>) => this.#hear(data);
    worker.onerror = (event) => this.#lose(event.message || "the worker could not be loaded");
    worker.onmessageerror = () => this.#lose("the worker said something unreadable");
    const loading = this.#options.loading ?? 120_000;
    this.#timer = setTimeout(() => this.#lose(`not loaded within ${loading / 1000} s`), loading);
    worker.postMessage({ runtime: address(this.#options.runtime), wheel: address(this.#options.wheel) });
  }

  #hear(said: Said): void {
    if ("ready" in said) {
      clearTimeout(this.#timer);
      this.#loaded = true;
      this.#told.resolve(said.ready);
      this.#options.onstate?.({ is: "ready", versions: said.ready });
    } else if ("answer" in said) {
      this.#answered(said.id, said.answer);
    } else {
      this.#lose(said.failed);
    }
  }

  #answered(id: number, answer: string): void {
    const waiting = this.#waiting.get(id);
    clearTimeout(waiting?.timer);
    this.#waiting.delete(id);
    waiting?.resolve(answer);
    const [next] = this.#waiting.keys();
    if (next !== undefined) this.#watch(next);
  }

  #lose(why: string): void {
    this.#end(why);
    if (this.#loaded) {
      this.#options.onstate?.({ is: "lost", why });
      this.#start();
    } else {
      this.#options.onstate?.({ is: "failed", why });
    }
    this.#loaded = false; // one that is lost while it loads is not tried again
  }

  #end(why: string): void {
    clearTimeout(this.#timer);
    this.#worker?.terminate();
    this.#worker = undefined;
    const lost = new Lost(why);
    this.#told.reject(lost);
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(lost);
    }
    this.#waiting.clear();
  }
}

function address(where: string | URL): string {
  return new URL(where, globalThis.location?.href).href;
}
