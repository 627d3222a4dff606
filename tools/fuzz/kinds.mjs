import { mutateSealed, readThroughCache } from './cached-pictures.mjs';
import { mutateTar } from './archives.mjs';
import { handOutJob } from './queue.mjs';
import { mutateBytes } from './mutate-bytes.mjs';
import { mutateJson } from './mutate-json.mjs';
import { mutatePicture } from './mutate-picture.mjs';
import { mutateSafetensors } from './mutate-safetensors.mjs';
import { mutateLines, mutateYaml } from './mutate-text.mjs';

/**
 * @typedef {object} Kind one kind of file that Winnow reads
 * @property {string} name
 * @property {string[]} fixtures folders that are copied for every try
 * @property {RegExp} target the files of which one is changed
 * @property {(random, bytes: Buffer, canary: string) => Buffer} mutate
 * @property {string[][]} [commands] of which one is run; paths are relative to the try's folder
 * @property {() => Promise<void>} [read] reads it without a command
 * @property {boolean} [isFile] whether Winnow reads it as a file, so that others may stand in its place: yes by default
 * @property {boolean} [needsServer] it is read from a Redis server
 * @property {string[]} [outputs] folders beside `out` that the commands may write
 * @property {number} [stopAfter] how often a command looks at its signal before it is asked to stop
 * @property {number} [weight] how many tries it gets beside others
 */

const WASM = ['--engine', 'wasm'];
const STEP = ['--batch-size', '4', '--augmentation', 'none', '--duration', '1it', '--warmup', '0'];
const QUICK = [...STEP, '--evaluate-every', '0it'];
const onPictures = ['--data', 'pictures', ...WASM];

const modelCommands = (model) => [
  ['inspect', model],
  ['import', model, '--out', 'out'],
  ['evaluate', model, ...onPictures],
  ['export', model, '--out', 'out'],
];
const towersCommands = (model) => [
  ['inspect', model],
  ['import', model, '--out', 'out'],
  ['evaluate', model, '--data', 'captions/captions.csv', ...WASM],
  ['evaluate', model, '--zero-shot', 'a {} drawing', ...onPictures],
];
const runCommands = (run) => [
  ['report', run],
  ['inspect', run],
  ['evaluate', run, ...WASM],
  ['train', '--resume', '--out', run],
];

const checkpoint = (name, target, mutate, fixture, commands, data = 'pictures') => ({
  name,
  fixtures: [fixture, data],
  target: new RegExp(`^${fixture}/${target}$`),
  mutate,
  commands: commands(fixture),
});
const oneTower = (name, fixture, target, mutate) => checkpoint(name, target, mutate, fixture, modelCommands);
const twoTowers = (name, fixture, target, mutate) => ({
  ...checkpoint(name, target, mutate, fixture, towersCommands, 'captions'),
  fixtures: [fixture, 'captions', 'pictures'],
});

const pairTraining = (data, ...more) => [
  'train',
  '--task',
  'retrieval',
  '--from',
  'clip',
  '--data',
  data,
  ...WASM,
  ...QUICK,
  ...more,
  '--out',
  'out',
];
const labels = (name, file) => ({
  name,
  fixtures: ['hugging-face', 'labels'],
  target: new RegExp(`^labels/${file}$`),
  mutate: mutateLines,
  commands: [
    ['evaluate', 'hugging-face', '--data', `labels/${file}`, ...WASM],
    ['train', '--from', 'hugging-face', '--data', `labels/${file}`, ...WASM, ...QUICK, '--out', 'out'],
  ],
});
const captions = (name, file, mutate) => ({
  name,
  fixtures: ['clip', 'captions'],
  target: new RegExp(`^captions/${file}$`),
  mutate,
  commands: [
    pairTraining(`captions/${file}`, ...(file === 'captions.json' ? ['--images', 'captions/pictures'] : [])),
    [
      'evaluate',
      'clip',
      '--data',
      `captions/${file}`,
      ...(file === 'captions.json' ? ['--images', 'captions/pictures', '--split', 'train'] : []),
      ...WASM,
    ],
  ],
});
const tokenizer = (name, fixture, target, mutate, tokenizerPath) => ({
  name,
  fixtures: [fixture, 'captions', 'pictures'],
  target: new RegExp(`^${fixture}/${target}$`),
  mutate,
  commands: [
    [
      'train',
      '--task',
      'retrieval',
      '--data',
      'captions/captions.csv',
      '--tokenizer',
      tokenizerPath,
      '--image-size',
      '8',
      ...WASM,
      ...QUICK,
      '--out',
      'out',
    ],
    ...(fixture === 'clip' ? towersCommands('clip').slice(2) : []),
  ],
  stopAfter: 0,
});
const runFile = (name, fixture, target, mutate, commands = runCommands(fixture), stopAfter = undefined) => ({
  stopAfter,
  name,
  fixtures: [fixture, 'pictures', 'hugging-face'],
  target: new RegExp(`^${fixture}/${target}$`),
  mutate,
  commands,
  outputs: [fixture],
});

/** @type {Kind[]} */
export const kinds = [
  oneTower('hugging-face weights', 'hugging-face', 'model.safetensors', mutateSafetensors),
  oneTower('hugging-face config', 'hugging-face', 'config.json', mutateJson),
  oneTower('preprocessor config', 'hugging-face', 'preprocessor_config.json', mutateJson),
  oneTower('dinov2 weights', 'dinov2', 'model.safetensors', mutateSafetensors),
  oneTower('dinov2 config', 'dinov2', 'config.json', mutateJson),
  oneTower('shards', 'shards', 'model.safetensors.index.json', mutateJson),
  oneTower('timm weights', 'timm', 'model.safetensors', mutateSafetensors),
  oneTower('timm config', 'timm', 'config.json', mutateJson),
  twoTowers('clip weights', 'clip', 'model.safetensors', mutateSafetensors),
  twoTowers('clip config', 'clip', 'config.json', mutateJson),
  twoTowers('open_clip weights', 'open-clip', 'open_clip_model.safetensors', mutateSafetensors),
  twoTowers('open_clip config', 'open-clip', 'open_clip_config.json', mutateJson),
  tokenizer('tokenizer.json', 'clip', 'tokenizer.json', mutateJson, 'clip/tokenizer.json'),
  tokenizer('vocab.json', 'bytes', 'vocab.json', mutateJson, 'bytes'),
  tokenizer('merges.txt', 'bytes', 'merges.txt', mutateLines, 'bytes'),
  {
    name: 'shard of pictures',
    fixtures: ['hugging-face', 'clip', 'archives'],
    target: /^archives\/shard-0\.tar$/,
    mutate: mutateTar,
    commands: [
      ['evaluate', 'hugging-face', '--data', 'archives/shard-{0..0}.tar', ...WASM],
      ['train', '--from', 'hugging-face', '--data', 'archives', ...WASM, ...QUICK, '--out', 'out'],
      pairTraining('archives'),
    ],
  },
  tokenizer('spiece.model', 'unigram', 'spiece.model', mutateBytes, 'unigram/spiece.model'),
  labels('labels table', 'labels.csv'),
  labels('labels in lines', 'labels.jsonl'),
  captions('captions table', 'captions.csv', mutateLines),
  captions('coco captions', 'captions.json', mutateJson),
  captions('karpathy captions', 'karpathy.json', mutateJson),
  {
    name: 'pictures',
    fixtures: ['hugging-face', 'pictures'],
    target: /^pictures\/test\/.*$/,
    mutate: mutatePicture,
    commands: [
      ['evaluate', 'hugging-face', ...onPictures],
      ['predict', 'hugging-face', 'pictures/test', ...WASM],
      ['predict', 'hugging-face', 'pictures/test', '--skip-broken', '--csv', 'out.csv', ...WASM],
    ],
    outputs: ['out.csv'],
  },
  runFile('structure file', 'run', 'model/structure.json', mutateJson),
  runFile(
    'compressed structure file',
    'compressed',
    'model/structure.json',
    mutateJson,
    runCommands('compressed').slice(0, 3),
  ),
  runFile(
    'masked structure file',
    'masked',
    'model/structure.json',
    mutateJson,
    runCommands('masked').slice(0, 3),
  ),
  runFile('sparse weights', 'masked', 'model/model.safetensors', mutateSafetensors, [
    ...runCommands('masked').slice(1, 3),
    ['export', 'masked', '--out', 'out'],
  ]),
  runFile('run config', 'run', 'config.json', mutateJson),
  runFile(
    'run config, unfinished',
    'unfinished',
    'config.json',
    mutateJson,
    runCommands('unfinished').slice(3),
    2,
  ),
  runFile('run summary', 'run', 'summary.json', mutateJson),
  runFile('compression summary', 'compressed', 'summary.json', mutateJson, [
    ['report', 'compressed'],
    ['report', 'compressed', '--tensorboard'],
    ['inspect', 'compressed'],
  ]),
  runFile('metrics', 'run', 'metrics.jsonl', mutateLines, [
    ['report', 'run'],
    ['report', 'run', '--tensorboard'],
  ]),
  runFile(
    'metrics, unfinished',
    'unfinished',
    'metrics.jsonl',
    mutateLines,
    runCommands('unfinished').slice(3),
    2,
  ),
  runFile(
    'snapshot',
    'unfinished',
    'checkpoints/.*',
    mutateSafetensors,
    runCommands('unfinished').slice(3),
    2,
  ),
  {
    ...runFile('run lock', 'unfinished', 'run.lock', mutateBytes, runCommands('unfinished').slice(3), 2),
    weight: 0.1,
  },
  {
    name: 'options file',
    fixtures: ['options', 'pictures'],
    target: /^options\/compress.yaml$/,
    mutate: mutateYaml,
    commands: [['compress', '--config', 'options/compress.yaml', '--out', 'out']],
    stopAfter: 1,
    weight: 0.2,
  },
  {
    name: 'comparison config',
    fixtures: ['options', 'pictures'],
    target: /^options\/comparison.yaml$/,
    mutate: mutateYaml,
    commands: [['compare', '--config', 'options/comparison.yaml', '--out', 'out']],
    stopAfter: 0,
  },
  {
    name: 'comparison record',
    fixtures: ['comparison', 'pictures'],
    target: /^comparison\/(comparison\.json|latencies\/.*|failures\/.*)$/,
    mutate: mutateJson,
    commands: [['report', 'comparison']],
    outputs: ['comparison'],
    weight: 0.2,
  },
  {
    name: 'summary in a comparison',
    fixtures: ['comparison', 'pictures'],
    target: /^comparison\/runs\/.*\/(summary|config)\.json$/,
    mutate: mutateJson,
    commands: [['report', 'comparison']],
    outputs: ['comparison'],
    weight: 0.2,
  },
  {
    name: 'ticket',
    fixtures: ['tickets', 'run', 'pictures'],
    target: /^tickets\/tickets\/.*\.json$/,
    mutate: mutateJson,
    commands: [
      ['ticket', 'overlap', '--tickets', 'tickets/tickets/10.06.json,tickets/tickets/20.02.json'],
      [
        'ticket',
        'train',
        '--ticket',
        'tickets/tickets/10.06.json',
        '--from',
        'run',
        ...onPictures,
        ...STEP,
        '--out',
        'out',
      ],
      ['report', 'tickets'],
    ],
    outputs: ['tickets'],
  },
  runFile('ticket summary', 'tickets', '(summary|config)\\.json', mutateJson, [
    ['report', 'tickets'],
    ['report', 'tickets', '--tensorboard'],
  ]),
  {
    name: 'job of a queue',
    fixtures: ['comparison', 'queue', 'pictures'],
    target: /^queue\/job\.json$/,
    mutate: mutateJson,
    read: handOutJob,
    isFile: false,
    needsServer: true,
  },
  {
    name: 'picture cache',
    fixtures: ['many'],
    target: /^many\/cache\/.*$/,
    mutate: mutateSealed,
    read: readThroughCache,
    weight: 0.05,
  },
];
