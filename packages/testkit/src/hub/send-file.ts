import type { IncomingMessage, ServerResponse } from 'node:http';

/** Sends a file, or the part of it that is asked for. */
export function sendFile(
  { headers: { range } }: IncomingMessage,
  response: ServerResponse,
  content: Uint8Array,
  headers: Readonly<Record<string, string>>,
): void {
  const all = content.byteLength;
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? [];
  if (from === undefined) {
    response.writeHead(200, { ...headers, 'accept-ranges': 'bytes', 'content-length': all });
    response.end(content);
    return;
  }
  const begin = Number(from);
  const end = Math.min(all, to === undefined || to === '' ? all : Number(to) + 1);
  if (begin >= end) {
    response.writeHead(416, { 'content-range': `bytes */${all}` });
    response.end();
    return;
  }
  response.writeHead(206, {
    ...headers,
    'content-range': `bytes ${begin}-${end - 1}/${all}`,
    'content-length': end - begin,
  });
  response.end(content.subarray(begin, end));
}
