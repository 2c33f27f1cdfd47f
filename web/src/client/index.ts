/** What the package gives: the client, and the declarations of every question and answer. */

export * from "./answers";
export { Byteor, isRefused, Lost, TooLong } from "./client";
export type { Options, Question, State } from "./client";
export { parse } from "./json";
export type { Versions } from "./messages";
