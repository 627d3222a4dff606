import { existsSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makePictures } from '@winnow/testkit';
import { winnow } from './terminal';

const root = await mkdtemp(join(tmpdir(), 'winnow-bad-'));
const at = (...path: string[]) => join(root, ...path);

beforeAll(() => makePictures(at('pictures')));
afterAll(() => rm(root, { recursive: true, force: true }));

/** A tiny run into a folder `out`, which must not come to be. */
const train = (...more: string[]) => [
  'train',
  '--engine',
  'wasm',
  '--data',
  at('pictures'),
  '--image-size',
  '16',
  '--batch-size',
  '4',
  '--duration',
  '2it',
  '--out',
  at('out'),
  ...more,
];
const compress = (...more: string[]) => [
  'compress',
  '--engine',
  'wasm',
  '--data',
  at('pictures'),
  '--dense-image-size',
  '16',
  '--batch-size',
  '4',
  '--dense-duration',
  '2it',
  '--search',
  '2it',
  '--retrain',
  '2it',
  '--out',
  at('out'),
  ...more,
];

/** A comparison, as a file says it. */
const comparison = (shared: string, method = 'random', track = '') =>
  [
    'name: small',
    `workloads: [{name: own, shared: ${shared}}]`,
    `methods: [${method}]`,
    `tracks: {recommended: {retrain: 1it, ${track}}}`,
    'without: [random]',
    'run: {engine: wasm}',
  ].join('\n');

/** The command ends with code 2 and one clear message, and leaves nothing behind. */
async function refuses(args: readonly string[], message: RegExp): Promise<void> {
  const { code, stdout, stderr } = await winnow(args);
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/\n {4}at /); // the lines of a stack
  expect([code, stdout]).toEqual([2, '']);
  expect(existsSync(at('out'))).toBe(false);
}

describe('arguments', () => {
  test.each<[string, string[], RegExp]>([
    ['no command', [], /expected a command: train, compress/],
    ['an unknown command', ['trian'], /unknown command trian; did you mean train\?/],
    [
      'an unknown flag',
      train('--lerning-rate', '1'),
      /unknown flag --lerning-rate; did you mean --learning-rate\?/,
    ],
    ['an extra word', train('more'), /did not expect "more"/],
    ['a flag without its value', ['train', '--seed'], /winnow train: expected a value after --seed\n/],
    ['a number that is none', train('--seed', 'seven'), /--seed: expected a (whole )?number, got "seven"/],
    [
      'a number out of range',
      train('--learning-rate', '-1'),
      /--learning-rate \(learningRate in a config file\): .*>0/,
    ],
    ['a flag by its initials', train('--lr', '0.01'), /unknown flag --lr; did you mean --learning-rate\?/],
    ['a short word that is near to nothing', train('--qq', '1'), /unknown flag --qq \(winnow train --help/],
    ['the one command of a group', ['ticket'], /ticket find.*ticket train.*ticket transfer.*ticket overlap/],
    [
      'a value that is no choice',
      train('--model', 'huge'),
      /--model: expected one of "nano", "tiny", "small", "base", got "huge"/,
    ],
    [
      'a duration that is none',
      train('--duration', '3 weeks'),
      /duration: expected a duration like 3ep or 200it/,
    ],
    ['a missing model', ['inspect'], /winnow inspect: expected <model>/],
    [
      'more patches than anything can attend to',
      train('--image-size', '4096', '--patch-size', '1'),
      /expected at most 65536 patches, got 4096 × 4096: each looks at all others/,
    ],
    [
      'a size by name with as many',
      ['inspect', 'nano', '--image-size', '1600000000'],
      /expected at most 65536 patches, got 100000000/,
    ],
    ['an unknown method', compress('--method', 'upup'), /unknown method upup; did you mean upop\?/],
    [
      'an option of another method',
      compress('--method', 'random', '--schedule', 'cosine'),
      /unknown flag --schedule/,
    ],
    [
      'an option of another task',
      ['train', '--task', 'retrieval', '--mixup', '0.8'],
      /--mixup is for --task classification, not for retrieval \(winnow train --help/,
    ],
    [
      'an option of the retraining of another task',
      ['compress', '--task', 'retrieval', '--retrain-mixup', '0.8', '--serch', '1ep'],
      /--retrain-mixup is for --task classification, not for retrieval; unknown flag --serch; did you mean --search/,
    ],
    [
      'an option of no task that tickets are taken to',
      [
        ...['ticket', 'transfer', '--from', at('dense'), '--tickets', at('t.json')],
        ...['--onto', 'retrieval:emoji-names,captions:emoji-names', '--label-smoothing', '0.2', '--nested'],
      ],
      /--nested is for classification, and --onto names only retrieval, captions: leave it out; --label-smoothing is for/,
    ],
    [
      'an option of a task that is not the usual one',
      train('--text-model', 'nano'),
      /--text-model is for --task retrieval/,
    ],
    [
      'a budget that is none',
      compress('--budget', 'half'),
      /--budget: expected 2x \(half as large\), 50% or 0.5/,
    ],
    ['a budget that cannot be reached', compress('--budget', '2000x'), /cannot be reached: every site keeps/],
    [
      'a budget that asks for more than all',
      compress('--budget', '0.5x'),
      /--budget: .*got 0.5x, which would be larger/,
    ],
    ['a budget without its x', compress('--budget', '2'), /the share that is kept: did you mean 2x\?/],
    ['a budget of no size', compress('--budget', '0x'), /--budget: .*got 0x, which is no size/],
    ['a budget of nothing', compress('--budget', '0'), /--budget: .*got 0, which would keep nothing/],
    [
      'a budget above 100 %',
      compress('--budget', '200%'),
      /--budget: .*got 200%, which is more than the whole/,
    ],
    ['dense options with a given model', compress('--from', 'x'), /no use with --from/],
    [
      'an unknown precision',
      train('--precision', 'f16'),
      /--precision: expected one of "f32", "bf16", "auto", got "f16"/,
    ],
    ['no threads', train('--threads', '0'), /threads: .*>0/],
    ['an unknown device', train('--device', 'tpu'), /device: expected cpu, cuda or cuda:1/],
    [
      'a precision that the engine does not have',
      train('--precision', 'bf16'),
      /"wasm".*f32 only, not in bf16/,
    ],
    ['more threads than the engine has', compress('--threads', '2'), /"wasm".*on one thread, not on 2/],
    ['a device that the engine does not have', train('--device', 'cuda'), /"wasm".*CPU only, not on cuda/],
    ['patches that do not fit', train('--patch-size', '5'), /multiple of the patch size/],
  ])('%s', (_what, args, message) => refuses(args, message));
});

describe('config files', () => {
  const config = (name: string, text: string) => {
    writeFileSync(at(name), text);
    return ['--config', at(name)];
  };
  test('a missing file', () =>
    refuses(train('--config', at('none.yaml')), /cannot read .*none\.yaml: there is no such file/));
  test('neither YAML nor JSON', () =>
    refuses(train(...config('broken.yaml', 'a: 1\nb: [1')), /neither YAML nor JSON.* at line 2, column/));
  test('not options', () => refuses(train(...config('list.yaml', '- 1')), /list\.yaml: not options by name/));
  test('an unknown key', () =>
    refuses(
      train(...config('key.yaml', 'learningrate: 1')),
      /unknown option learningrate; did you mean learningRate\?/,
    ));
  test('an unknown nested key', () =>
    refuses(
      compress(...config('dense.yaml', 'dense: { modle: tiny }')),
      /unknown option modle; did you mean model\?/,
    ));
  test('an unknown key of the method', () =>
    refuses(compress(...config('method.json', '{"options": {"serach": "1ep"}}')), /did you mean search\?/));
  test('a group that is no record', () =>
    refuses(compress(...config('group.yaml', 'dense: 3')), /dense: expected options by name, got 3/));
  test.each<[string, string, RegExp]>([
    ['a method that is a number', '{"method": 5}', /method: expected string, got number/],
    ['a task that is a list', 'task: [1]', /task: expected string, got array/],
    ['a method that is none', 'method: null', /method: expected string, got null/],
    ['a path with a NUL', '{"from": "a\\u0000b"}', /nul\.yaml.*\n.*at from: expected text without a NUL/],
    ['a number that is none', 'seed: .nan', /at seed: expected .*number.*, got NaN/],
  ])('%s', (_, text, message) => refuses(compress(...config('nul.yaml', text)), message));
  test.each<[string, string, RegExp]>([
    ['run options that are a number', 'run: 5', /run: expected options by name, got 5/],
    ['an engine that is a number', 'run: {engine: 5}', /run:\n {2}engine: /],
    ['a name that is a number', 'name: 5', /name: expected a string, got 5/],
    ['a task that is a number', comparison('{task: 5}'), /task: expected string, got number/],
    ['a method that is a number', comparison('{}', '{method: 5}'), /methods/],
    [
      'a search that is a number',
      comparison('{}', 'random', 'options: {search: 5}'),
      /search: expected a duration/,
    ],
  ])('of a comparison: %s', (_, text, message) =>
    refuses(['compare', ...config('comparison.yaml', text), '--out', at('out')], message),
  );
  test('an unknown method', () =>
    refuses(compress(...config('unknown.yaml', 'method: unifed')), /did you mean unified\?/));
});

describe('data', () => {
  test('a missing folder', () => refuses(train('--data', at('none')), /expected a dataset/));
  test('an empty class', async () => {
    await makePictures(at('empty'));
    await mkdir(at('empty', 'train', 'green'));
    await refuses(train('--data', at('empty')), /green/);
  });
  test('a truncated picture', async () => {
    await makePictures(at('truncated'));
    truncateSync(at('truncated', 'train', 'red', '3.png'), 100);
    await refuses(train('--data', at('truncated')), /3\.png/);
  });
  test('a link in a circle', async () => {
    await makePictures(at('circle'));
    symlinkSync('loop.png', at('circle', 'train', 'red', 'loop.png'));
    await refuses(train('--data', at('circle')), /loop\.png: a symbolic link that leads back to itself/);
  });
  test('a name that is almost right, and one that is too long', async () => {
    await refuses(train('--data', at('pitcures')), /Did you mean .*\/pictures\?/);
    await refuses(train('--data', at('x'.repeat(300))), /longer than the file system allows/);
  });
  test('one class', async () => {
    await makePictures(at('single'));
    for (const split of ['train', 'validation', 'test'])
      await rm(at('single', split, 'red'), { recursive: true });
    await refuses(train('--data', at('single')), /at least two classes/);
  });
  test('captions that name what lies outside the folder of the pictures', async () => {
    const images = [{ id: 1, file_name: '../../etc/passwd' }];
    const annotations = [{ image_id: 1, caption: 'a secret' }];
    writeFileSync(at('captions.json'), JSON.stringify({ images, annotations }));
    const args = ['train', '--task', 'retrieval', '--engine', 'wasm', '--data', at('captions.json')];
    await refuses([...args, '--images', at('pictures'), '--out', at('out')], /1 that lead elsewhere/);
  });
});

describe('models', () => {
  test('nothing there', () => refuses(['inspect', at('none')], /there is no model or run at/));
  test('corrupt weights', async () => {
    expect((await winnow(train('--out', at('trained')))).code).toBe(0);
    truncateSync(at('trained', 'model', 'model.safetensors'), 1000);
    await refuses(['evaluate', at('trained'), '--engine', 'wasm'], /model\.safetensors/);
    await refuses(['inspect', at('trained')], /model\.safetensors/);
    await refuses(
      ['compress', '--from', at('trained'), '--data', at('pictures'), '--engine', 'wasm', '--out', at('out')],
      /model\.safetensors/,
    );
  });
  test('a folder that is no model', async () => {
    await mkdir(at('folder'));
    await refuses(['inspect', at('folder')], /folder/);
  });
  test('a model of other classes', async () => {
    expect((await winnow(train('--out', at('two')))).code).toBe(0);
    await refuses(
      ['evaluate', at('two'), '--data', 'emoji-category', '--engine', 'wasm'],
      /tells 2 classes apart, but emoji-category has 9 \(the model also has blue, red; the data also has Activities/,
    );
  });
});

describe('trainings that end in no numbers', () => {
  test('a last step that is too long saves nothing', async () => {
    const { code, stdout, stderr } = await winnow(
      train('--out', at('long'), '--duration', '1it', '--learning-rate', '1e38', '--warmup', '0'),
    );
    expect(stderr).toMatch(
      /^winnow: \S+ holds (NaN|-?Infinity) after step 0: lower the learning rate or clip the gradients$/m,
    );
    expect([code, stdout]).toEqual([2, '']);
    for (const name of ['summary.json', 'model', 'checkpoints']) {
      expect(existsSync(at('long', name))).toBe(false);
    }
  });
});
