import { mkdtemp, rm } from 'node:fs/promises';
import { readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { makePictures } from '@winnow/testkit';
import { winnow } from './terminal';

const root = await mkdtemp(join(tmpdir(), 'winnow-towers-'));
const at = (...path: string[]) => join(root, ...path);
const TINY = ['--engine', 'wasm', '--batch-size', '4', '--seed', '3'];
const ROUNDS = ['--to', '30%', '--round', '2it', '--original-fraction', '0.3'];

const done = async (...args: string[]) => {
  const { code, stdout, stderr } = await winnow(args);
  expect([code, stderr]).toEqual([0, expect.not.stringMatching(/winnow:/)]);
  return stdout;
};

beforeAll(async () => {
  await makePictures(at('pictures'), { train: 6, validation: 2, test: 2 });
  const rows = ['train', 'validation', 'test'].flatMap((split) =>
    ['red', 'blue'].flatMap((colour) =>
      readdirSync(at('pictures', split, colour)).map(
        (file) => `pictures/${split}/${colour}/${file},a ${colour} picture,${split}`,
      ),
    ),
  );
  writeFileSync(at('captions.csv'), ['image,caption,split', ...rows].join('\n'));
  await done(
    ...['train', '--task', 'retrieval', '--data', at('captions.csv'), ...TINY, '--image-size', '16'],
    ...['--patch-size', '8', '--duration', '2it', '--evaluate-every', '0it', '--out', at('pairs')],
  );
  await done(
    ...['ticket', 'find', '--task', 'retrieval', '--from', at('pairs'), '--data', at('captions.csv')],
    ...[...TINY, ...ROUNDS, '--out', at('of-pairs')],
  );
  await done(
    ...['ticket', 'find', '--from', at('pairs'), '--data', at('pictures')],
    ...[...TINY, ...ROUNDS, '--out', at('of-classes')],
  );
});
afterAll(() => rm(root, { recursive: true, force: true }));

const ticket = (run: string) => at(run, 'tickets', '30.00.json');

test('a ticket of two towers is trained in one, and one of a single tower in both, from the same weights', async () => {
  const classified = await done(
    ...['ticket', 'train', '--ticket', ticket('of-pairs'), '--from', at('pairs'), '--data', at('pictures')],
    ...[...TINY, '--duration', '2it', '--out', at('classified')],
  );
  expect(classified).toMatch(/left of text/);
  await done(
    ...['ticket', 'train', '--ticket', ticket('of-classes'), '--from', at('pairs'), '--task', 'retrieval'],
    ...['--data', at('captions.csv'), ...TINY, '--duration', '2it', '--out', at('retrieved')],
  );
  const inspected = z
    .looseObject({ masks: z.array(z.looseObject({ tower: z.string(), kept: z.int(), size: z.int() })) })
    .parse(JSON.parse(await done('inspect', at('retrieved'), '--json')));
  for (const tower of ['vision', 'text']) {
    const own = inspected.masks.filter((matrix) => matrix.tower === tower && matrix.size > 0);
    const left = own.reduce((sum, { kept }) => sum + kept, 0) / own.reduce((sum, { size }) => sum + size, 0);
    // The text tower is whole, and so is the projection of the pictures, which a classifier does not have.
    if (tower === 'text') expect(left).toBe(1);
    else expect(left).toBeCloseTo(0.7, 1);
  }
});

test('their overlap is that of the tower they share', async () => {
  const stdout = await done(
    ...['ticket', 'overlap', '--tickets', `${ticket('of-pairs')},${ticket('of-classes')}`, '--json'],
  );
  const { overlaps, kept } = z
    .looseObject({
      overlaps: z.array(z.array(z.looseObject({ shared: z.number(), weights: z.int() }))),
      kept: z.array(z.array(z.looseObject({ place: z.string() }))),
    })
    .parse(JSON.parse(stdout));
  expect(overlaps[0]?.[1]?.weights).toBe(overlaps[1]?.[1]?.weights);
  expect(overlaps[0]?.[1]?.weights).toBeLessThan(overlaps[0]?.[0]?.weights ?? 0);
  expect(kept[0]?.map(({ place }) => place)).toContain('text projection');
  expect(kept[1]?.map(({ place }) => place)).not.toContain('text');
});

test('a matrix over both tasks', async () => {
  const stdout = await done(
    ...['ticket', 'transfer', '--from', at('pairs'), '--tickets', ticket('of-pairs')],
    ...['--onto', `classification:${at('pictures')},retrieval:${at('captions.csv')}`, '--seeds', '1'],
    ...[...TINY, '--duration', '1it', '--out', at('matrix')],
  );
  expect(stdout).toMatch(/top1 .*meanR/);
});

test('a classifier cannot take over a text tower', async () => {
  await done(
    ...['train', '--data', at('pictures'), ...TINY, '--image-size', '16', '--patch-size', '8'],
    ...['--duration', '1it', '--evaluate-every', '0it', '--out', at('classes')],
  );
  const { code, stderr } = await winnow([
    ...['ticket', 'find', '--task', 'retrieval', '--from', at('classes'), '--data', at('captions.csv')],
    ...[...TINY, ...ROUNDS, '--out', at('none')],
  ]);
  expect([code, stderr]).toEqual([2, expect.stringMatching(/retrieval needs a dual encoder/)]);
});
