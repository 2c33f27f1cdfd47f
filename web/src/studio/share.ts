/**
 * A document in an address: deflated, in the fragment, which no server is ever sent.
 *
 * Rule 1. What comes out of an address is as hostile as any file: its size is held while it is inflated.
 */

const PREFIX = "#d=";
const LIMIT = 4 << 20;

/** The fragment that holds a document. */
export async function packed(text: string): Promise<string> {
  const bytes = await through(new CompressionStream("deflate-raw"), new TextEncoder().encode(text), Infinity);
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return PREFIX + btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The document of a fragment; nothing where it holds none. */
export async function unpacked(fragment: string): Promise<string | undefined> {
  if (!fragment.startsWith(PREFIX)) return undefined;
  const binary = atob(fragment.slice(PREFIX.length).replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
  const text = await through(new DecompressionStream("deflate-raw"), bytes, LIMIT);
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(text);
}

type Transform = { readable: ReadableStream<Uint8Array>; writable: WritableStream<BufferSource> };

async function through(transform: Transform, bytes: Uint8Array<ArrayBuffer>, limit: number): Promise<Uint8Array> {
  const source = new Blob([bytes]).stream().pipeThrough(transform as never) as ReadableStream<Uint8Array<ArrayBuffer>>;
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  const reader = source.getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    size += read.value.length;
    if (size > limit) {
      await reader.cancel();
      throw new RangeError("the document in the address is too large");
    }
    parts.push(read.value);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}
