/**
 * The data of a training without the training: identifies and opens a dataset, goes through epochs of its batches, and says as a line of
 * JSON when the first batch came, how many pictures a second there were, and how much memory the process had at most.
 *
 *   node tools/data/epoch.mjs '{"spec": "FOLDER", "imageSize": 224, "cacheBytes": 0, "workers": 2, "epochs": 1}'
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { trainingBatches } from '../../packages/core/dist/index.js';
import { identifyDataset, openDataset } from '../../packages/data/dist/index.js';

const BATCH_SIZE = 64;
const asked = JSON.parse(process.argv[2] ?? '{}');
const {
  spec,
  imageSize,
  cacheBytes,
  workers = 0,
  epochs = 1,
  cacheFolder,
  diskBytes = 0,
  most = Infinity,
} = asked;

const begun = performance.now();
const seconds = () => (performance.now() - begun) / 1000;
const pictureCache = cacheFolder === undefined ? undefined : cacheIn(cacheFolder, diskBytes);
const cached = pictureCache === undefined ? {} : { pictureCache };
await identifyDataset(spec, cached);
const identifiedS = seconds();
const preload = pictureCache === undefined ? false : 'background';
const data = await openDataset(spec, { imageSize, cacheBytes, workers, preload, ...cached });
const batches = trainingBatches(data.train, { batchSize: BATCH_SIZE, seed: 1, augment: true });
const steps = Math.min(batches.stepsPerEpoch, Math.ceil(most / BATCH_SIZE));
const rates = [];
const ratesByCore = [];
const ratesByMain = [];
let firstBatchS;
for (let epoch = 0; epoch < epochs; epoch++) {
  const from = seconds();
  const before = coreSeconds();
  const mainBefore = mainSeconds();
  for (let step = 0; step < steps; step++) {
    await batches.at(epoch * batches.stepsPerEpoch + step);
    firstBatchS ??= seconds();
  }
  rates.push((steps * BATCH_SIZE) / (seconds() - from));
  ratesByCore.push((steps * BATCH_SIZE) / (coreSeconds() - before));
  ratesByMain.push((steps * BATCH_SIZE) / (mainSeconds() - mainBefore));
}
console.log(
  JSON.stringify({
    identifiedS,
    firstBatchS,
    endS: seconds(),
    rates,
    ratesByCore,
    ratesByMain,
    peakBytes: peakBytes(),
    pictures: data.train.size,
  }),
);
process.exit(0);

function cacheIn(folder, mostBytes) {
  mkdirSync(folder, { recursive: true });
  return {
    mostBytes,
    read: (key) => readFile(join(folder, key)).catch(() => undefined),
    readPart: async (key, start, bytes) => {
      const file = await open(join(folder, key)).catch(() => undefined);
      if (file === undefined) return undefined;
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafeSlow(bytes), 0, bytes, start);
      await file.close();
      return buffer.subarray(0, bytesRead);
    },
    write: (key, content) => writeFile(join(folder, key), content),
  };
}

/** Seconds that all threads of this process have had a core: others on the machine do not count. */
function coreSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Seconds that the main thread has had a core: however many others there are, it takes part in every picture. */
function mainSeconds() {
  try {
    const [ns] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ');
    return Number(ns) / 1e9;
  } catch {
    return NaN;
  }
}

/** proc(5): the largest resident size; elsewhere as the system counts it. */
function peakBytes() {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024;
  } catch {
    return process.resourceUsage().maxRSS * 1024;
  }
}
