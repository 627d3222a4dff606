import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { run } from 'node:test';

/** More processes at once than this would only wait for the GPU. */
const MOST_PROCESSES = 6;

/** The bundled tests of a part, each file in a process of its own. */
export const runTests = (part) =>
  async function ({ folder, device, log, signal }) {
    const names = JSON.parse(readFileSync(join(folder, 'js', 'tests.json'), 'utf8'))[part];
    process.env.WINNOW_TEST_DEVICE = device;
    const events = run({
      files: names.map((name) => join(folder, 'js', name)),
      concurrency: Math.min(availableParallelism(), MOST_PROCESSES),
      signal,
    });
    const counts = { passed: 0, failed: 0, skipped: 0 };
    const failures = [];
    for await (const { type, data } of events) {
      if (type === 'test:stdout' || type === 'test:stderr') log(data.message);
      if ((type !== 'test:pass' && type !== 'test:fail') || data.details.type === 'suite') continue;
      const outcome = type === 'test:fail' ? 'failed' : data.skip === undefined ? 'passed' : 'skipped';
      counts[outcome] += 1;
      log(`${outcome.padEnd(7)} ${data.name} (${data.details.duration_ms.toFixed(0)} ms)\n`);
      if (outcome !== 'failed') continue;
      const reason = String(data.details.error?.cause?.message ?? data.details.error?.message);
      failures.push({ name: data.name, reason: reason.slice(0, 500) });
      log(`        ${reason.replaceAll('\n', '\n        ')}\n`);
    }
    log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
    return { ok: counts.failed === 0 && counts.passed > 0 && !signal?.aborted, ...counts, failures };
  };
