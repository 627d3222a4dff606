import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import pLimit from 'p-limit';
import { DataError } from '../failure/data-error';
import type { PictureFiles } from '../picture/read';
import { type PictureWork, workHere } from '../picture/work';
import type { Reply, Request } from './messages';
import { transferable } from './transfer';

/** Pictures that are being decoded at a time, by thread, and at least. */
const DECODED_AT_A_TIME = 4;
const LEAST_AT_A_TIME = 16;
/** A thread that has nothing to do for so long is let go; the next piece of work starts it again. */
const IDLE_MS = 10_000;

/** The program of the threads, beside this one where it has been built; undefined where it has not. */
function builtProgram(): string | undefined {
  const names = ['./picture-worker.js', './picture-worker.mjs'];
  return names.map((name) => fileURLToPath(new URL(name, import.meta.url))).find((path) => existsSync(path));
}

type WorkOf<Message> = Message extends unknown ? Omit<Message, 'id'> : never;

interface Thread {
  readonly pending: number;
  ask(work: WorkOf<Request>, transfers: readonly ArrayBuffer[]): Promise<Reply>;
}

/**
 * Work with pictures on threads of its own: files are read, decoded, resampled and varied there. A batch's values come back without
 * being copied, as decoded pictures do. Nobody has to end the threads: they do not keep the process alive, and go when they are idle.
 * @param count Number of threads, 1 or more.
 * @param files Where the files come from; by default threads read them from the disk.
 * @param program Path of the threads' program.
 * @returns the work on this thread where the program has not been built.
 */
export function workOnThreads(
  count: number,
  files?: PictureFiles,
  program: string | undefined = builtProgram(),
): PictureWork {
  const here = workHere(files);
  if (program === undefined || count < 1) return here;
  const threads = Array.from({ length: count }, () => thread(program));
  const ask = (work: WorkOf<Request>, transfers: readonly ArrayBuffer[] = []): Promise<Reply> => {
    const [first, ...others] = threads;
    if (first === undefined) throw new RangeError('expected a thread');
    const idlest = others.reduce((least, other) => (other.pending < least.pending ? other : least), first);
    return idlest.ask(work, transfers);
  };
  const limit = pLimit(Math.max(LEAST_AT_A_TIME, DECODED_AT_A_TIME * count));
  return {
    decode: (path, decoding) =>
      limit(async () => {
        const content = await files?.read(path);
        const reply = await ask(
          { kind: 'decode', path, decoding, ...(content === undefined ? {} : { content }) },
          content === undefined ? [] : transferable(content),
        );
        if (reply.kind === 'picture') return reply.picture;
        if (reply.kind === 'large') return here.decode(path, decoding);
        throw errorOf(reply);
      }),
    fill: async (pictures, filling) => {
      const reply = await ask({ kind: 'fill', pictures, filling });
      if (reply.kind === 'images') return reply.images;
      throw errorOf(reply);
    },
  };
}

const errorOf = (reply: Reply): Error =>
  reply.kind === 'problem'
    ? new DataError(reply.problem)
    : new Error(
        `a thread for pictures: ${reply.kind === 'failure' ? reply.message : `an answer of the kind ${reply.kind}`}`,
      );

interface Waiting {
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

/** A thread that runs when it is asked for something. */
function thread(program: string): Thread {
  const waiting = new Map<number, Waiting>();
  let worker: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;
  let next = 0;

  const started = (): Worker => {
    const running = new Worker(program, { name: 'winnow pictures', execArgv: [] });
    const failed = (error: Error): void => {
      if (worker === running) worker = undefined;
      for (const { reject } of waiting.values()) reject(error);
      waiting.clear();
    };
    running.on('message', (reply: Reply) => {
      waiting.get(reply.id)?.resolve(reply);
      waiting.delete(reply.id);
      if (waiting.size > 0) return;
      running.unref();
      idle = setTimeout(() => {
        worker = undefined;
        void running.terminate();
      }, IDLE_MS).unref();
    });
    running.on('error', (error) => {
      failed(new Error(`a thread for pictures has failed: ${error.message}`, { cause: error }));
    });
    running.on('exit', (code) => {
      if (worker === running) failed(new Error(`a thread for pictures has ended with ${code}`));
    });
    return running;
  };

  return {
    get pending() {
      return waiting.size;
    },
    ask: (work, transfers) =>
      new Promise((resolve, reject) => {
        clearTimeout(idle);
        worker ??= started();
        worker.ref();
        const id = next++;
        waiting.set(id, { resolve, reject });
        worker.postMessage({ ...work, id }, [...transfers]);
      }),
  };
}
