import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as checkpoints from './checkpoints.mjs';
import { makeArchives } from './archives.mjs';
import { makeMany } from './cached-pictures.mjs';
import { makeCaptions, makeLabels, makePictures } from './pictures.mjs';
import { makeJob } from './queue.mjs';
import { winnow } from './winnow.mjs';

const WASM = ['--engine', 'wasm'];
const SHORT = ['--batch-size', '4', '--augmentation', 'none', '--checkpoint-every', '1it'];
const training = (steps) => ['--duration', `${steps}it`, '--evaluate-every', '1it', '--warmup', '0'];

/** Runs a command that has to end with `expected`. */
async function must(args, { expected = 0, ...options } = {}) {
  const { code, stderr } = await winnow(args, options);
  if (code !== expected)
    throw new Error(`a fixture of the fuzzer: winnow ${args.join(' ')} ended with ${code}: ${stderr}`);
}

/** Every fixture by name: a function that makes it in its folder, from others that are made first. */
const recipes = {
  pictures: { make: (folder) => makePictures(folder) },
  captions: { make: (folder) => makeCaptions(folder) },
  'hugging-face': { make: checkpoints.makeHuggingFace },
  dinov2: { make: checkpoints.makeDinov2 },
  archives: { make: (folder) => makeArchives(folder) },
  labels: { make: (folder) => makeLabels(folder) },
  shards: { make: checkpoints.makeShards },
  timm: { make: checkpoints.makeTimm },
  clip: { make: checkpoints.makeClip },
  'open-clip': { make: checkpoints.makeOpenClip },
  bytes: { make: checkpoints.makeByteTokenizer },
  unigram: { make: checkpoints.makeUnigramTokenizer },
  many: { make: makeMany },
  run: {
    needs: ['hugging-face', 'pictures'],
    make: (folder, at) =>
      must([
        'train',
        '--from',
        at('hugging-face'),
        '--data',
        at('pictures'),
        ...WASM,
        ...SHORT,
        ...training(3),
        '--out',
        folder,
      ]),
  },
  unfinished: {
    needs: ['hugging-face', 'pictures'],
    make: (folder, at) =>
      must(
        [
          'train',
          '--from',
          at('hugging-face'),
          '--data',
          at('pictures'),
          ...WASM,
          ...SHORT,
          ...training(6),
          '--out',
          folder,
        ],
        {
          expected: 130,
          stopAfter: 3,
        },
      ),
  },
  compressed: {
    needs: ['run'],
    make: (folder, at) =>
      must([
        ...['compress', '--from', at('run'), '--method', 'magnitude', '--search', '0it', '--retrain', '1it'],
        ...['--data', at('pictures'), ...WASM, ...SHORT, '--out', folder],
      ]),
  },
  masked: {
    needs: ['run'],
    make: (folder, at) =>
      must([
        ...[
          'compress',
          '--from',
          at('run'),
          '--method',
          'one-shot-magnitude',
          '--budget',
          '50%',
          '--retrain',
          '1it',
        ],
        ...['--data', at('pictures'), ...WASM, ...SHORT, '--out', folder],
      ]),
  },
  tickets: {
    needs: ['run'],
    make: (folder, at) =>
      must([
        ...[
          'ticket',
          'find',
          '--from',
          at('run'),
          '--to',
          '20%',
          '--round',
          '1it',
          '--data',
          at('pictures'),
          ...WASM,
        ],
        ...['--batch-size', '4', '--augmentation', 'none', '--out', folder],
      ]),
  },
  pairs: {
    needs: ['clip', 'captions'],
    make: (folder, at) =>
      must([
        ...[
          'train',
          '--task',
          'retrieval',
          '--from',
          at('clip'),
          '--data',
          join(at('captions'), 'captions.csv'),
          ...WASM,
        ],
        ...SHORT,
        ...[...training(1), '--out', folder],
      ]),
  },
  queue: { needs: ['comparison'], make: (folder, at) => makeJob(folder, at('comparison')) },
  options: {
    make: (folder) => {
      mkdirSync(folder, { recursive: true });
      writeFileSync(
        join(folder, 'compress.yaml'),
        [
          'method: upop',
          'budget: 2x',
          'budgetUnit: parameters',
          'retrain: 1it',
          'data: pictures',
          'engine: wasm',
          'augmentation: none',
          'batchSize: 4',
          'warmup: 0.1',
          'seed: 3',
          'dense:',
          '  imageSize: 16',
          '  patchSize: 8',
          '  duration: 1it',
          '  learningRate: 0.001',
          'options:',
          '  search: 1it',
          '',
        ].join('\n'),
      );
      writeFileSync(
        join(folder, 'comparison.yaml'),
        [
          'name: tiny',
          'workloads:',
          '  - name: pictures',
          '    shared: { data: pictures, batchSize: 4, augmentation: none }',
          '    dense: { imageSize: 16, patchSize: 8, duration: 8it }',
          'methods:',
          '  - magnitude',
          '  - { method: upop, label: "UPop", options: { search: 2it }, budgets: [2x] }',
          'budgets: [2x, 0.4]',
          'budgetUnit: parameters',
          'seeds: [1, 2]',
          'tracks:',
          '  equal-compute: { compute: 8it, options: { search: 4it } }',
          '  recommended: { retrain: 4it }',
          'retrainLearningRates: [0.001]',
          'confidence: 0.9',
          'run: { engine: wasm, threads: 1 }',
          '',
        ].join('\n'),
      );
    },
  },
  comparison: {
    needs: ['pictures'],
    make: async (folder, at) => {
      const file = `${folder}.yaml`;
      const config = {
        name: 'tiny',
        workloads: [
          {
            name: 'pictures',
            shared: { data: at('pictures'), batchSize: 4, augmentation: 'none' },
            dense: { imageSize: 16, patchSize: 8, duration: '1it', evaluateEvery: '0it' },
          },
        ],
        methods: [{ method: 'magnitude', options: { search: '0it' } }],
        without: ['trained-on', 'from-scratch', 'random', 'magnitude'],
        budgets: ['2x'],
        seeds: [1],
        tracks: { recommended: { retrain: '1it' } },
        run: { engine: 'wasm' },
      };
      writeFileSync(file, JSON.stringify(config));
      await must(['compare', '--config', file, '--jobs', '2', '--out', folder]);
    },
  },
};

/**
 * Makes fixtures by name, each in a folder of its own below `root`.
 * @throws {Error} when Winnow cannot make one of its own files.
 */
export async function makeFixtures(root, names) {
  const at = (name) => join(root, name);
  const made = new Map();
  const make = async (name) => {
    if (made.has(name)) return;
    made.set(name, true);
    for (const needed of recipes[name].needs ?? []) await make(needed);
    await recipes[name].make(at(name), at);
  };
  for (const name of names) await make(name);
}
