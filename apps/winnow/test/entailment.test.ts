import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { z } from 'zod';
import { PROVED, UPOP_PROVED, winnow } from './terminal';

const root = await mkdtemp(join(tmpdir(), 'winnow-entailment-'));
const at = (...path: string[]) => join(root, ...path);
afterAll(() => rm(root, { recursive: true, force: true }));

const ENGINE = ['--engine', 'wasm', '--batch-size', '8'];
const NEW = [
  '--task',
  'entailment',
  '--data',
  'scenes-entailment-tiny',
  ...ENGINE,
  '--evaluate-every',
  '0it',
];
const SMALL = ['--image-size', '16', '--patch-size', '8', '--duration', '1it'];
const CUT = [...ENGINE, '--search', '2it', '--retrain', '1it'];
const NAMES = ['contradiction', 'entailment', 'neutral'];

/** Runs a command that has to end well. */
async function well(...args: string[]): Promise<string> {
  const { stdout, stderr } = await winnow(args);
  expect(stderr).not.toMatch(/winnow:/);
  return `${stderr}\n${stdout}`;
}
/** Runs a command that has to end in a user's mistake. */
async function refused(...args: string[]): Promise<string> {
  const { code, stderr } = await winnow(args);
  expect(code).toBe(2);
  return stderr;
}
const scores = z.looseObject({ scores: z.record(z.string(), z.number()) });
const scoresOf = async (folder: string) => {
  const { stdout } = await winnow(['evaluate', at(folder), '--engine', 'wasm', '--json']);
  return Object.keys(scores.parse(JSON.parse(stdout)).scores);
};
const labelled = z.looseObject({ id2label: z.record(z.string(), z.string()) });

test('a ViLT tells entailment: trained, scored, cut, ticketed, proved, exported, asked', async () => {
  const told = await well('train', ...NEW, ...SMALL, '--out', at('dense'));
  expect(told).toMatch(/test accuracy/);
  expect(told).toMatch(/its words alone are right for a third of any split/);
  expect(await scoresOf('dense')).toEqual(expect.arrayContaining(['accuracy', ...NAMES]));
  expect((await winnow(['inspect', at('dense')])).stdout).toMatch(/ViLT for 3 answers/);

  const cut = await well('compress', '--from', at('dense'), ...CUT, ...UPOP_PROVED, '--out', at('small'));
  expect(cut).toMatch(/accuracy, retrained/);
  expect(cut).toContain(PROVED);
  await well(
    ...['compress', '--from', at('dense'), ...ENGINE, '--retrain', '1it', '--out', at('sparse')],
    ...['--method', 'one-shot-magnitude', '--budget', '50%'],
  );
  const rounds = ['--to', '30%', '--round', '1it', '--original-fraction', '0.3'];
  const found = await well(
    'ticket',
    'find',
    '--from',
    at('dense'),
    ...ENGINE,
    ...rounds,
    '--out',
    at('tickets'),
  );
  expect(found).toMatch(/left of vision/);

  await well('export', at('small'), '--format', 'onnx', '--out', at('files'));
  await well('export', at('dense'), '--out', at('theirs'));
  const config = labelled.parse(JSON.parse(await readFile(at('theirs', 'config.json'), 'utf8')));
  expect(Object.values(config.id2label)).toEqual(NAMES);

  const picture = at('red.png');
  await sharp({ create: { width: 20, height: 20, channels: 3, background: 'red' } }).toFile(picture);
  const asked = [at('small'), picture, '--engine', 'wasm'];
  const said = await well('predict', ...asked, '--statement', 'the key is red.');
  for (const name of NAMES) expect(said).toContain(name);
  const needed = /a vilt for entailment needs --statement/;
  expect(await refused('predict', ...asked)).toMatch(needed);
  expect(
    await refused('predict', ...asked, '--statement', 'the key is red.', '--question', 'is it?'),
  ).toMatch(needed);
});

test('a UNITER tells it by regions, and goes on to it from a pre-training', async () => {
  const captions = ['--task', 'pre-training', '--data', 'scenes-captions-tiny', '--evaluate-every', '0it'];
  await well('train', ...captions, ...ENGINE, ...SMALL, '--out', at('pre'));
  const onward = await well('train', ...NEW, '--from', at('pre'), '--duration', '1it', '--out', at('one'));
  expect(onward).toMatch(/test accuracy/);
  expect(onward).not.toMatch(/does not know/);
  const once = [
    'compress',
    ...CUT.slice(0, -2),
    '--retrain',
    '1it',
    '--method',
    'magnitude',
    '--budget',
    '1.2x',
  ];
  await well(...once, '--from', at('one'), '--out', at('one-small'));
  expect(await scoresOf('one-small')).toEqual(expect.arrayContaining(['accuracy', ...NAMES]));
});

test('an LXMERT tells it by regions: trained, cut and proved, and not asked about pictures', async () => {
  await well('train', ...NEW, ...SMALL, '--family', 'lxmert', '--out', at('two'));
  const cut = await well('compress', '--from', at('two'), ...CUT, ...UPOP_PROVED, '--out', at('two-small'));
  expect(cut).toContain(PROVED);
  const alone = await refused('predict', at('two'), at('red.png'), '--engine', 'wasm', '--statement', 'yes.');
  expect(alone).toMatch(/a vilt for statements or entailment, and this model is a lxmert/);
});

test('answers in another order do not go on, and other models and data are refused by name', async () => {
  const file = at('theirs', 'config.json');
  const config = labelled.parse(JSON.parse(await readFile(file, 'utf8')));
  const turned = { ...config, id2label: { 0: 'entailment', 1: 'neutral', 2: 'contradiction' } };
  await writeFile(file, JSON.stringify({ ...turned, label2id: undefined }));
  await well('import', at('theirs'), '--out', at('turned'));
  const own = ['--method', 'magnitude', '--budget', '1.2x', '--search', '0it', '--retrain', '1it'];
  const order =
    /the model's answers are entailment, neutral, contradiction, and entailment has contradiction/;
  const cut = ['compress', '--from', at('turned'), ...NEW.slice(0, 8), ...own, '--out', at('none')];
  expect(await refused(...cut)).toMatch(order);
  const kept = ['train', ...NEW, '--from', at('turned'), '--duration', '1it', '--head', 'kept'];
  expect(await refused(...kept, '--out', at('none'))).toMatch(order);
  await well(...kept.slice(0, -1), 'new', '--out', at('drawn'));

  const statements = ['train', '--task', 'statements', ...SMALL, ...ENGINE, '--out', at('none')];
  expect(await refused(...statements, '--data', 'scenes-entailment-tiny')).toMatch(/pairs of pictures/);
  const here = ['train', ...NEW.slice(0, 2), ...SMALL, ...ENGINE, '--out', at('none')];
  expect(await refused(...here, '--data', 'scenes-statements-tiny')).toMatch(/true, false or not told/);
  expect(await refused(...here, '--family', 'blip')).toMatch(/vilt.*uniter.*lxmert/);
});

test('SNLI-VE is read with the pictures of Flickr30k, by pixels alone', async () => {
  await mkdir(at('flickr'));
  for (const picture of [1, 2])
    await sharp({ create: { width: 20, height: 20, channels: 3, background: 'blue' } }).toFile(
      at('flickr', `${picture}.jpg`),
    );
  const lines = ['entailment', 'neutral', 'contradiction', '-'].map((label, index) =>
    JSON.stringify({
      ...{ gold_label: label, sentence2: `somebody is ${label}`, pairID: String(index) },
      Flickr30K_ID: String(1 + (index % 2)),
    }),
  );
  for (const split of ['train', 'dev', 'test'])
    await writeFile(at(`snli_ve_${split}.jsonl`), `${lines.join('\n')}\n`);
  const read = [
    'train',
    '--task',
    'entailment',
    '--data',
    at('snli_ve_train.jsonl'),
    '--images',
    at('flickr'),
  ];
  const told = await well(...read, ...ENGINE, ...SMALL, '--out', at('read'));
  expect(told).toMatch(/1 statement of snli_ve_train.jsonl left out/);
  expect(await scoresOf('read')).toEqual(expect.arrayContaining(['accuracy', ...NAMES]));
  const boxes = await refused(...read, '--family', 'uniter', ...ENGINE, ...SMALL, '--out', at('none'));
  expect(boxes).toMatch(/pictures with boxes of what is in them/);
});
