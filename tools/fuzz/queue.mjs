import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { redisProgram, startRedis } from '../../packages/testkit/dist/index.js';
import { winnow } from './winnow.mjs';

/** Where the address of the server stands in the environment of the processes that do tries. */
const ADDRESS = 'WINNOW_FUZZ_REDIS';
const LOOK_MS = 5;

/** Whether there is a server program to try queues with. */
export const hasServer = () => redisProgram() !== undefined;

/** Starts a server for all processes; the caller ends it. */
export async function startServer() {
  const server = await startRedis();
  process.env[ADDRESS] = server.url;
  return server;
}

/** A job as it stands in a queue, of a run of the comparison that is done. */
export function makeJob(folder, comparison) {
  const [id] = readdirSync(join(comparison, 'runs'));
  const options = { data: 'pictures', engine: 'wasm', imageSize: 16, duration: '1it' };
  mkdirSync(folder);
  writeFileSync(
    join(folder, 'job.json'),
    JSON.stringify({ id, payload: { command: 'train', options, dense: id } }),
  );
}

let working;

/** A worker for the comparison of the cases, which all lie at the same path; it works until its process ends. */
function workFor(comparison) {
  working ??= (async () => {
    const url = process.env[ADDRESS];
    const { host, port } = { host: new URL(url).hostname, port: Number(new URL(url).port) };
    // As the worker calls it.
    const name = `winnow-${createHash('sha256').update(comparison).digest('hex').slice(0, 16)}`;
    const ended = winnow(['worker', comparison, '--queue', url, '--jobs', '1']);
    const queue = new Queue(name, { connection: { host, port } });
    await queue.waitUntilReady();
    return { queue, ended };
  })();
  return working;
}

/** Puts the job that was changed into the queue and waits until the worker has refused or done it. */
export async function handOutJob() {
  const { queue, ended } = await workFor(resolve('comparison'));
  const text = readFileSync(join('queue', 'job.json'), 'utf8');
  const job = await queue.add('run', parsed(text));
  const isOver = async () => (await job.isCompleted()) || (await job.isFailed());
  const stopped = ended.then(({ code, stderr }) => {
    throw new Error(`the worker ended with ${code}: ${stderr}`);
  });
  while (!(await Promise.race([isOver(), stopped]))) await delay(LOOK_MS);
  await job.remove();
}

/** Parses JSON; other texts, and those too deep for the client of the queue to write, are texts in the queue. */
function parsed(text) {
  try {
    const data = JSON.parse(text);
    JSON.stringify(data);
    return data;
  } catch {
    return text;
  }
}
