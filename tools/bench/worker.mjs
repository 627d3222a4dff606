/**
 * Ours as a worker, as tools/peers/peer.py is PyTorch's: a request in JSON on a line of stdin, an answer on a line of
 * stdout. {what: 'train' | 'infer' | a search's step, engine, precision, threads, device, sizes, steps} is answered with the
 * milliseconds of every step and the peak memory so far; a second request of the same process goes on with the first.
 */
import { createInterface } from 'node:readline';
import { startEngine } from '../../packages/engine/dist/index.js';
import { jobOf } from './jobs.mjs';

let job;

async function start(request) {
  const { engine, precision, threads, device } = request;
  const started = await startEngine(engine, { precision, threads, device });
  if (started.precision !== precision) throw new Error(`${engine} does not compute in ${precision}`);
  return jobOf(request);
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  try {
    job ??= await start(request);
    const ms = await job(request.steps);
    console.log(JSON.stringify({ ms, peakMib: process.resourceUsage().maxRSS / 1024 }));
  } catch (error) {
    console.log(JSON.stringify({ error: error.message.split('\n')[0] }));
  }
}
// A training that waits for its next batch must not keep the process.
process.exit(0);
