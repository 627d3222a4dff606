import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { run } from 'node:test';

/** More processes at once than this would only wait for the GPU. */
const MOST_PROCESSES = 6;

/**
 * The bundled tests of a part, each file in a process of its own. `others` runs them with the engine's other kernels: ours on a GPU, and on a
 * processor libtorch's, which a GPU runs.
 */
export const runTests = (part, whose = 'usual') =>
  async function ({ folder, device, log, signal }) {
    const names = JSON.parse(readFileSync(join(folder, 'js', 'tests.json'), 'utf8'))[part];
    process.env.WINNOW_TEST_DEVICE = device;
    if (whose === 'usual') delete process.env.WINNOW_KERNELS;
    else process.env.WINNOW_KERNELS = device === 'cpu' ? 'libtorch' : 'own';
    const events = run({
      files: names.map((name) => join(folder, 'js', name)),
      concurrency: Math.min(availableParallelism(), MOST_PROCESSES),
      signal,
    });
    const counts = { passed: 0, failed: 0, skipped: 0 };
    const failures = [];
    for await (const { type, data } of events) {
      if (type === 'test:stdout' || type === 'test:stderr') log(data.message);
      if (type !== 'test:pass' && type !== 'test:fail') continue;
      const { error, type: kind, duration_ms: ms } = data.details;
      // A group fails with its tests, which speak for themselves, or in a hook.
      if (kind === 'suite' && (type === 'test:pass' || error.failureType === 'subtestsFailed')) continue;
      const outcome = type === 'test:fail' ? 'failed' : data.skip === undefined ? 'passed' : 'skipped';
      counts[outcome] += 1;
      log(`${outcome.padEnd(7)} ${data.name} (${ms.toFixed(0)} ms)\n`);
      // What a hook that failed kept from running is counted; why, the group says.
      if (outcome !== 'failed' || error.failureType === 'cancelledByParent') continue;
      const reason = String(error?.cause?.message ?? error?.message);
      failures.push({ name: data.name, reason: reason.slice(0, 500) });
      log(`        ${reason.replaceAll('\n', '\n        ')}\n`);
    }
    delete process.env.WINNOW_KERNELS;
    log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
    return { ok: counts.failed === 0 && counts.passed > 0 && !signal?.aborted, ...counts, failures };
  };
