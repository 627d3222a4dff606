import { existsSync, readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { describeOnTorch, testDevice, torchBackend } from './torch';

/** Where Linux says what it gives large pages to. */
const enabled = '/sys/kernel/mm/transparent_hugepage/enabled';
const onLinux = existsSync(enabled) && testDevice === 'cpu' && isGlibc() ? it : it.skip;

function isGlibc(): boolean {
  const report = process.report.getReport();
  return JSON.stringify(report).includes('"glibcVersionRuntime"');
}

/** Mebibytes of the heap for which large pages have been asked. */
function heapInLargePages(): number {
  const mappings = readFileSync('/proc/self/smaps', 'utf8').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
  return mappings
    .filter((each) => each.includes('[heap]') && /^VmFlags:.* hg\b/m.test(each))
    .reduce((sum, each) => sum + Number(/^Size: +(\d+) kB/m.exec(each)?.[1] ?? 0) / 1024, 0);
}

describeOnTorch('the memory of tensors', () => {
  onLinux('is asked for in large pages', () => {
    const before = heapInLargePages();
    const made = [1, 2, 3, 4].map(() => tf.tensor1d(new Float32Array(2 ** 23))); // 32 MiB each
    expect(heapInLargePages() - before).toBeGreaterThan(64);
    tf.dispose(made);
  });

  onLinux('goes back to the system when that is asked, once it is free', () => {
    torchBackend().giveBackFreed();
    const bytes = 100 * 2 ** 20;
    const before = process.memoryUsage.rss();
    const held = [1, 2, 3, 4].map(() => tf.ones([bytes / 4]));
    expect(process.memoryUsage.rss() - before).toBeGreaterThan(3 * bytes);
    tf.dispose(held);
    torchBackend().giveBackFreed();
    expect(process.memoryUsage.rss() - before).toBeLessThan(bytes);
  });
});
