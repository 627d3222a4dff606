import { parentPort } from 'node:worker_threads';
import { DataError } from '../failure/data-error';
import { pictureFile, readRegularFile } from '../file/regular-file';
import { decodedAs } from '../picture/decoding';
import { filled } from '../picture/fill';
import { LargePictureError, pictureReader } from '../picture/read';
import { transferable } from './transfer';
import type { Reply, Request } from './messages';

// The program of a thread that decodes and varies pictures.

const contents = new Map<string, Uint8Array>();
const reader = pictureReader(
  {
    read: (path) => {
      const given = contents.get(path);
      return given === undefined
        ? readRegularFile(path, pictureFile)
        : Promise.resolve(Buffer.from(given.buffer, given.byteOffset, given.byteLength));
    },
  },
  'refused',
);

parentPort?.on('message', (request: Request) => {
  void answer(request).then((reply) => {
    const bytes =
      reply.kind === 'picture' ? reply.picture.pixels : reply.kind === 'images' ? reply.images : undefined;
    parentPort?.postMessage(reply, bytes === undefined ? [] : transferable(bytes));
  });
});

async function answer(request: Request): Promise<Reply> {
  const { id } = request;
  try {
    if (request.kind === 'fill') {
      return { id, kind: 'images', images: filled(request.pictures, request.filling) };
    }
    const { path, content, decoding } = request;
    if (content !== undefined) contents.set(path, content);
    return { id, kind: 'picture', picture: await decodedAs(reader, path, decoding) };
  } catch (error) {
    if (error instanceof LargePictureError) return { id, kind: 'large' };
    if (error instanceof DataError) return { id, kind: 'problem', problem: error.problem };
    return {
      id,
      kind: 'failure',
      message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    };
  } finally {
    if (request.kind === 'decode') contents.delete(request.path);
  }
}
