import { mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { timmTensors, writeCheckpoint } from './checkpoints';
import { PROVED, winnow } from './terminal';

const root = await mkdtemp(join(tmpdir(), 'winnow-regions-'));
const at = (...path: string[]) => join(root, ...path);
afterAll(() => rm(root, { recursive: true, force: true }));

const ENGINE = ['--engine', 'wasm', '--batch-size', '8'];
const NEW = ['--task', 'questions', '--data', 'scenes-questions-tiny', ...ENGINE, '--evaluate-every', '0it'];
const SMALL = ['--image-size', '16', '--patch-size', '8', '--duration', '1it'];

/** Runs a command that has to end well. */
async function well(...args: string[]): Promise<string> {
  const { stdout, stderr } = await winnow(args);
  expect(stderr).not.toMatch(/winnow:/);
  return `${stderr}\n${stdout}`;
}

/** Writes a model with a vision tower of one block. */
async function writeTower(name: string, hidden: number): Promise<void> {
  await writeCheckpoint(at(`${name}-of-timm`), timmTensors({ width: 64, hidden, classes: 3 }));
  await well('import', at(`${name}-of-timm`), '--heads', '2', '--out', at(name));
}

const record = z.looseObject({ rule: z.string(), tower: z.looseObject({ kind: z.string() }) });
const recorded = async (folder: string) =>
  record.parse(JSON.parse(await readFile(at(folder, 'model', 'regions.json'), 'utf8')));

test('a UNITER answers questions about regions that a given tower reads: trained, ticketed, scored', async () => {
  await writeTower('tower', 32);
  const regions = ['--regions', 'jittered', '--regions-from', at('tower')];
  const told = await well(
    ...['train', ...NEW, '--family', 'uniter', ...regions, '--duration', '1it', '--out', at('dense')],
  );
  expect(told).toMatch(/objects, moved a little, up to 6 of a picture, of which .* says 64 numbers each/);
  expect(await recorded('dense')).toMatchObject({
    rule: 'jittered',
    tower: { kind: 'model', from: at('tower') },
  });
  expect((await winnow(['inspect', at('dense')])).stdout).toMatch(
    /UNITER for \d+ answers: words and regions in one trunk of 4 layers/,
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
  expect(found).toMatch(/left of trunk/);

  await rename(at('tower'), at('moved'));
  const gone = await winnow(['evaluate', at('dense'), '--engine', 'wasm']);
  expect([gone.code, gone.stderr]).toEqual([
    2,
    expect.stringMatching(/say with --regions-from where it is now/),
  ]);
  const place = ['--engine', 'wasm', '--regions', 'true', '--regions-from'];
  expect(await well('evaluate', at('dense'), ...place, at('moved'))).toMatch(/accuracy/);
  await writeTower('other', 48);
  const other = await winnow(['evaluate', at('dense'), ...place, at('other')]);
  expect([other.code, other.stderr]).toEqual([
    2,
    expect.stringMatching(/read by another tower than that of/),
  ]);
});

test('an LXMERT is trained and compressed by a tower with random weights, which can be made again', async () => {
  await well('train', ...NEW, ...SMALL, '--family', 'lxmert', '--out', at('two'));
  expect(await recorded('two')).toEqual({
    ...{ rule: 'true', seed: 0 },
    tower: { kind: 'random', imageSize: 16, patchSize: 8, seed: 0 },
  });
  const upop = ['--method', 'upop', '--budget', '1.2x', '--search', '1it', '--retrain', '1it'];
  const compressed = await well(
    'compress',
    '--from',
    at('two'),
    ...ENGINE,
    ...upop,
    '--prove',
    'full',
    '--out',
    at('small'),
  );
  expect(compressed).toMatch(/accuracy, retrained/);
  expect(compressed).toContain(PROVED);
  expect(await recorded('small')).toEqual(await recorded('two'));
  const foreign = await winnow(['evaluate', at('two'), '--engine', 'wasm', '--regions-from', at('tower')]);
  expect([foreign.code, foreign.stderr]).toEqual([
    2,
    expect.stringMatching(/by a tower with random weights/),
  ]);
});

test('a UNITER is pre-trained on captions, and goes on to questions with its words and its regions', async () => {
  const captions = ['--task', 'pre-training', '--data', 'scenes-captions-tiny', '--evaluate-every', '0it'];
  const told = await well(
    'train',
    ...captions,
    ...ENGINE,
    ...SMALL,
    '--alignment',
    '0.2',
    '--out',
    at('pre'),
  );
  for (const score of ['words', 'matching', 'regions', 'classes']) expect(told).toContain(`test ${score}`);
  const onward = await well('train', ...NEW, '--from', at('pre'), '--duration', '1it', '--out', at('asked'));
  expect(onward).toMatch(/its head is for other classes, so a new one is drawn/);
  expect(onward).not.toMatch(/vocabulary knows almost nothing/);
  expect(await recorded('asked')).toEqual(await recorded('pre'));
});

test('an LXMERT is pre-trained with questions, and goes on to answer them, and to pick the regions that expressions mean', async () => {
  const captions = ['--task', 'pre-training', '--data', 'scenes-captions-tiny', '--evaluate-every', '0it'];
  const two = [...captions, ...ENGINE, ...SMALL, '--family', 'lxmert', '--regions', 'crowded'];
  const told = await well('train', ...two, '--out', at('pre-two'));
  for (const score of ['classes', 'answers']) expect(told).toContain(`test ${score}`);
  const asked = ['train', ...NEW, '--from', at('pre-two'), '--duration', '1it', '--out', at('asked-two')];
  const answering = await well(...asked);
  expect(answering).not.toMatch(/a new one is drawn/); // its answers are those of the questions
  expect(answering).not.toMatch(/does not know/);
  const meant = ['--task', 'grounding', '--data', 'scenes-expressions-tiny', '--evaluate-every', '0it'];
  const onward = ['--from', at('pre-two'), '--duration', '1it', '--out', at('meant')];
  expect(await well('train', ...meant, ...ENGINE, ...onward)).toMatch(/test p1/);
  const several = ['--task', 'grounding', '--data', 'scenes-phrases-tiny', ...SMALL, '--family', 'uniter'];
  const wrong = await winnow(['train', ...several, ...ENGINE, '--out', at('none')]);
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringMatching(/which means \d+/)]);
});

test.each([
  [['--regions', 'true'], /--regions is for a uniter or an lxmert, which read regions: mdetr reads pixels/],
  [['--family', 'uniter', '--one-stream'], /--one-stream is --family vilt/],
  [['--family', 'uniter', '--regions', 'some'], /expected one of .*true.*jittered.*crowded/],
])('%j is refused', async (flags, message) => {
  const { code, stderr } = await winnow(['train', ...NEW, ...SMALL, ...flags, '--out', at('none')]);
  expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
});
