/** A worker of the tests in a process of its own: node logging-worker.mjs <url> <queue> <log> <ms per job> <silence ms> */
import { appendFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { workOn } from '@winnow/job-queue';

const [url, name, log, workMs, silenceMs] = process.argv.slice(2);
await workOn({
  url,
  name,
  concurrency: 1,
  silenceMs: Number(silenceMs),
  signal: new AbortController().signal,
  report: () => undefined,
  execute: async (id, signal) => {
    appendFileSync(log, `begin ${id} ${process.pid}\n`);
    await delay(Number(workMs), undefined, { signal });
    appendFileSync(log, `end ${id} ${process.pid}\n`);
  },
});
