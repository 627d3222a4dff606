import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { makePictures } from '@winnow/testkit';
import { winnow } from './terminal';

const root = await mkdtemp(join(tmpdir(), 'winnow-choices-'));
const at = (...path: string[]) => join(root, ...path);
const TINY = ['--engine', 'wasm', '--batch-size', '4'];
const SHAPE = ['--image-size', '16', '--patch-size', '8', '--duration', '0it', '--evaluate-every', '0it'];
const FAST = ['--method', 'magnitude', '--search', '0it', '--retrain', '0it', '--budget', '1.2x'];
const TICKET = ['--round', '1it', '--to', '20%'];

const record = z.looseObject({ options: z.record(z.string(), z.unknown()) });
const optionsOf = (out: string) =>
  record.parse(JSON.parse(readFileSync(at(out, 'config.json'), 'utf8'))).options;
async function done(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await winnow(args);
  expect([code, stderr]).toEqual([0, expect.not.stringMatching(/^winnow:/m)]);
  return stdout;
}

beforeAll(async () => {
  await makePictures(at('pictures'), { train: 4, validation: 2, test: 2 });
  const rows = ['train', 'validation', 'test'].flatMap((split) =>
    ['red', 'blue'].flatMap((colour) =>
      readdirSync(at('pictures', split, colour)).map(
        (file) => `${split}/${colour}/${file},a ${colour} picture,${split}`,
      ),
    ),
  );
  writeFileSync(at('captions.csv'), ['image,caption,split', ...rows].join('\n'));
  await done('train', '--data', at('pictures'), ...TINY, ...SHAPE, '--out', at('classes'));
  await done(
    ...['train', '--task', 'retrieval', '--data', at('captions.csv'), '--images', at('pictures')],
    ...[...TINY, ...SHAPE, '--out', at('pairs')],
  );
  await done('export', at('classes'), '--out', at('foreign'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const pairs = { task: 'retrieval', data: at('captions.csv'), images: at('pictures') };
const classes = { task: 'classification', data: at('pictures') };

describe('a run says its task and its data to what goes on from it', () => {
  test.each<[string, string[], object]>([
    ['compress', ['compress', '--from', at('pairs'), ...FAST], pairs],
    ['compress, of a model within', ['compress', '--from', at('classes', 'model'), ...FAST], classes],
    ['train', ['train', '--from', at('pairs'), '--duration', '0it'], pairs],
    ['ticket find', ['ticket', 'find', '--from', at('classes'), ...TICKET], classes],
  ])('%s', async (command, args, expected) => {
    const out = command.replaceAll(/\W+/g, '-');
    await done(...args, ...TINY, '--out', at(out));
    expect(optionsOf(out)).toMatchObject(expected);
  });

  test('ticket train and ticket transfer', async () => {
    const [ticket = ''] = readdirSync(at('ticket-find', 'tickets'));
    const file = at('ticket-find', 'tickets', ticket);
    const short = ['--duration', '0it', ...TINY];
    await done(
      'ticket',
      'train',
      '--from',
      at('classes'),
      '--ticket',
      file,
      ...short,
      '--out',
      at('trained'),
    );
    expect(optionsOf('trained')).toMatchObject(classes);
    const onto = ['ticket', 'transfer', '--from', at('classes'), '--tickets', file, '--seeds', '1'];
    await done(...onto, ...short, '--out', at('moved'));
    expect(optionsOf('moved')).toMatchObject({ onto: `classification:${at('pictures')}` });
  });

  test('of which flags there are', async () => {
    // --images is a flag of the task retrieval, which the run alone says here.
    await done(
      'compress',
      '--from',
      at('pairs'),
      '--images',
      at('pictures'),
      ...FAST,
      ...TINY,
      '--out',
      at('flags'),
    );
    expect(optionsOf('flags')).toMatchObject(pairs);
  });

  test('unless the data are for another task that the model can serve', async () => {
    const args = ['train', '--from', at('pairs'), '--data', at('pictures'), '--duration', '0it', ...TINY];
    await done(...args, '--out', at('other-task'));
    expect(optionsOf('other-task')).toMatchObject(classes);
    const same = ['train', '--from', at('pairs'), '--data', at('captions.csv'), '--images', at('pictures')];
    await done(...same, '--duration', '0it', ...TINY, '--out', at('same-task'));
    expect(optionsOf('same-task')).toMatchObject(pairs);
  });
});

describe('no data are taken for those of a model that does not say them', () => {
  test.each<[string, string[]]>([
    ['compress', ['compress', '--from', at('foreign')]],
    ['train', ['train', '--from', at('foreign')]],
    ['ticket find', ['ticket', 'find', '--from', at('foreign')]],
    ['ticket train', ['ticket', 'train', '--from', at('foreign'), '--ticket', at('t.json')]],
    ['ticket transfer', ['ticket', 'transfer', '--from', at('foreign'), '--tickets', at('t.json')]],
    ['evaluate', ['evaluate', at('foreign')]],
  ])('%s', async (command, args) => {
    const out = command === 'evaluate' ? [] : ['--out', at('refused')];
    const { code, stderr } = await winnow([...args, '--engine', 'wasm', ...out]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/: say with --(data|onto) wh(at|ich)/)]);
  });

  test('nor those of its run, for another task', async () => {
    const { code, stderr } = await winnow(['train', '--from', at('pairs'), '--task', 'classification']);
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(
        /say with --data which data: those of .*pairs are for the task retrieval, not for classification/,
      ),
    ]);
  });

  test('and a model that is not there is said to be not there', async () => {
    for (const command of [['compress'], ['train'], ['ticket', 'find']])
      expect((await winnow([...command, '--from', at('none')])).stderr).toMatch(
        /there is no model or run at .*none/,
      );
  });
});

test('a dual encoder of others is compressed for retrieval without being told so', async () => {
  await done('export', at('pairs'), '--format', 'winnow', '--out', at('elsewhere'));
  const args = [
    'compress',
    '--from',
    at('elsewhere'),
    '--data',
    at('captions.csv'),
    '--images',
    at('pictures'),
  ];
  await done(...args, ...FAST, ...TINY, '--out', at('of-elsewhere'));
  expect(optionsOf('of-elsewhere')).toMatchObject(pairs);
});
