import type { Backend, PackedFile } from '../demo-data';
import { pieceFile } from '../pieces';
import type { Runtime } from './runtime';

declare global {
  /** Takes a piece, from its script. */
  var winnowPiece: ((base64: string) => void) | undefined;
}

/** Runs a script that lies beside the page. @throws {Error} naming it when it is not there. */
function runScript(source: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const element = document.createElement('script');
    element.src = source;
    element.onload = () => {
      element.remove();
      resolve();
    };
    element.onerror = () => {
      reject(new Error(`${source} is missing beside this page: copy the whole folder`));
    };
    document.head.append(element);
  });
}

/**
 * Loads packed bytes, piece by piece.
 * @param onBytes Told how many have come.
 * @throws {Error} when a piece is missing, or others came than the page was made with.
 */
export async function loadPacked(
  { id, pieces, bytes }: PackedFile,
  onBytes: (count: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const all = new Uint8Array(bytes);
  let at = 0;
  for (let piece = 0; piece < pieces; piece++) {
    let own: string | undefined;
    globalThis.winnowPiece = (content) => (own = content);
    await runScript(pieceFile(id, piece));
    const found = bytesIn(own ?? '');
    if (at + found.length > bytes) throw otherBytes(id);
    all.set(found, at);
    at += found.length;
    onBytes(found.length);
  }
  if (at !== bytes) throw otherBytes(id);
  return all;
}

/** Bytes in base64. */
export function bytesIn(base64: string): Uint8Array<ArrayBuffer> {
  const signs = atob(base64);
  const bytes = new Uint8Array(signs.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = signs.charCodeAt(at);
  return bytes;
}

const otherBytes = (id: string): Error =>
  new Error(`the files of ${id} in data/ are not those that this page was made with: make it anew`);

/** Loads ONNX Runtime for a backend, once. */
export async function loadRuntime(
  backend: Backend,
  binary: PackedFile,
  onBytes: (count: number) => void,
): Promise<Runtime> {
  const known = globalThis.winnowRuntimes?.[backend];
  if (known !== undefined) return known;
  const wasm = await loadPacked(binary, onBytes);
  await runScript(`runtime-${backend}.js`);
  const runtime = globalThis.winnowRuntimes?.[backend];
  if (runtime === undefined) throw new Error(`runtime-${backend}.js is damaged: make the page anew`);
  runtime.env.logLevel = 'error';
  runtime.env.wasm.wasmBinary = wasm.buffer;
  // More would need a server that isolates the page.
  runtime.env.wasm.numThreads = 1;
  return runtime;
}
