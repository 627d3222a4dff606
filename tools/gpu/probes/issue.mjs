/**
 * Microseconds that the host takes to ask a device for small operations, one after the other, from here and from Python: on a GPU
 * whose work is small, a step takes as long as asking for it.
 *
 *   issue.mjs DEVICE [COUNT]
 */
import * as tf from '@tensorflow/tfjs-core';
import { startEngine } from '../../../packages/engine/dist/index.js';

const [device = 'cpu', count = '2000'] = process.argv.slice(2);
const started = await startEngine('torch', { precision: 'bf16', device });
console.log(started.description);

const small = tf.ones([64, 64]);
const operations = {
  add: () => tf.add(small, small),
  relu: () => tf.relu(small),
  transpose: () => tf.transpose(small),
  concat: () => tf.concat([small, small, small], 1),
  'matrix product': () => tf.matMul(small, small),
};

async function microseconds(operation, times) {
  const once = async () => tf.dispose(await operation().data());
  for (let warm = 0; warm < 50; warm++) await once();
  const start = performance.now();
  for (let each = 0; each < times; each++) tf.dispose(operation());
  const asked = performance.now();
  await once();
  return { asked: (1000 * (asked - start)) / times, done: (1000 * (performance.now() - start)) / times };
}

for (const [name, operation] of Object.entries(operations)) {
  const { asked, done } = await microseconds(operation, Number(count));
  console.log(`${name}: asked for in ${asked.toFixed(1)} µs, done in ${done.toFixed(1)} µs`);
}
process.exit(0);
