import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makePictures } from '@winnow/testkit';
import { winnow } from './terminal';

const root = await mkdtemp(join(tmpdir(), 'winnow-damaged-'));
const at = (...path: string[]) => join(root, ...path);

const train = [
  ...['train', '--engine', 'wasm', '--image-size', '16', '--batch-size', '4', '--duration', '2it'],
  ...['--evaluate-every', '1it', '--checkpoint-every', '1it'],
];

beforeAll(async () => {
  await makePictures(at('pictures'));
  const { code } = await winnow([...train, '--data', at('pictures'), '--out', at('sound')]);
  expect(code).toBe(0);
}, 60_000);
beforeEach(async () => {
  rmSync(at('run'), { recursive: true, force: true });
  await cp(at('sound'), at('run'), { recursive: true });
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** Changes the JSON of a file. */
function change(file: string, edit: (content: Record<string, unknown>) => void): void {
  const content: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (typeof content !== 'object' || content === null) throw new Error('expected a record');
  const record = { ...content };
  edit(record);
  writeFileSync(file, JSON.stringify(record));
}

/** The command says in a few words what is wrong with which file, and is not at fault itself. */
async function blames(file: string, args: readonly string[], message: RegExp): Promise<void> {
  const { code, stderr } = await winnow(args);
  expect(stderr).toContain(file);
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/\n {4}at /); // the lines of a stack
  expect(code).toBe(2);
}

describe('a damaged file of a run', () => {
  const broken: readonly [what: string, text: string, message: RegExp][] = [
    ['empty', '', /expected JSON; got an empty file/],
    ['cut off', '{"command":"train",', /expected JSON/],
    ['another kind of JSON', '[1]', /at the top: |Invalid/],
    ['binary', '\u0000\u0001', /expected text in UTF-8/],
  ];
  it.each(broken)('summary.json: %s', async (_, text, message) => {
    writeFileSync(at('run', 'summary.json'), text);
    await blames(at('run', 'summary.json'), ['report', at('run')], message);
  });

  it('summary.json with a loss that was no number, as older versions wrote it', async () => {
    change(at('run', 'summary.json'), (summary) => {
      summary['model'] = { ...Object(summary['model']), scores: { top1: 50, loss: null } };
    });
    await blames(
      at('run', 'summary.json'),
      ['report', at('run')],
      /not the summary of a Winnow run\n {2}at model\.scores\.loss: expected number, got null/,
    );
  });

  it('summary.json without the score that models are compared by', async () => {
    change(at('run', 'summary.json'), (summary) => (summary['metric'] = 'top9'));
    await blames(at('run', 'summary.json'), ['report', at('run')], /at metric: expected the name of a score/);
  });

  it.each(['{', '\u0000\u0001'])(
    'summary.json is made again when the run is asked for again: %j',
    async (text) => {
      const sound: unknown = JSON.parse(readFileSync(at('run', 'summary.json'), 'utf8'));
      writeFileSync(at('run', 'summary.json'), text);
      const { code, stderr } = await winnow(['train', '--resume', '--out', at('run')]);
      expect([code, stderr]).toEqual([
        0,
        expect.stringMatching(/summary\.json: expected (JSON|text in UTF-8).*It is made again/s),
      ]);
      const { model } = JSON.parse(readFileSync(at('run', 'summary.json'), 'utf8'));
      expect(model.scores).toEqual(Object(Object(sound)['model'])['scores']);
    },
  );

  it.each(broken)('config.json: %s', async (_, text, message) => {
    writeFileSync(at('run', 'config.json'), text);
    await blames(at('run', 'config.json'), ['report', at('run')], message);
    await blames(at('run', 'config.json'), ['train', '--resume', '--out', at('run')], message);
  });

  it('config.json with options that no run has', async () => {
    change(at('run', 'config.json'), (record) => {
      record['options'] = { ...Object(record['options']), data: 5 };
    });
    await blames(
      at('run', 'config.json'),
      ['train', '--resume', '--out', at('run')],
      /is damaged.*\n {2}--data: /,
    );
    const { code, stderr } = await winnow(['evaluate', at('run'), '--engine', 'wasm']);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/data: expected string, got number/)]);
  });

  it('config.json: a report names options that no run has', async () => {
    const file = at('run', 'config.json');
    const record = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ ...record, options: { ...record.options, engine: 7 } }));
    await blames(file, ['report', at('run')], /is damaged.*\n {2}--engine: /);
  });

  it('metrics.jsonl: what is not a measurement is named with its line', async () => {
    const file = at('run', 'metrics.jsonl');
    const lines = readFileSync(file, 'utf8').split('\n');
    writeFileSync(file, [lines[0], '{"phase": 5}', ''].join('\n'));
    await blames(file, ['report', at('run'), '--tensorboard'], /metrics\.jsonl, line 2: .*at phase: /s);
    writeFileSync(file, `${lines[0] ?? ''}\n{"phase": "train", "st`);
    expect((await winnow(['report', at('run'), '--tensorboard'])).code).toBe(0);
  });

  it.each(['metrics.jsonl', 'run.lock'])('%s that leads elsewhere is not written', async (name) => {
    const [file, elsewhere] = [at('run', name), at('elsewhere')];
    rmSync(at('run', 'summary.json'));
    rmSync(at('run', 'checkpoints'), { recursive: true });
    for (const target of [elsewhere, file]) {
      rmSync(file, { force: true });
      symlinkSync(target, file);
      const { code, stderr } = await winnow(['train', '--resume', '--out', at('run')]);
      expect([code, stderr]).toEqual([
        2,
        expect.stringContaining(`${name}: expected a file, got a symbolic link`),
      ]);
      expect(existsSync(elsewhere)).toBe(false);
    }
  });

  it('a checkpoint of another run', async () => {
    const name = 'phase-train.safetensors';
    const other = [...train, '--data', at('pictures'), '--out', at('other'), '--patch-size', '4'];
    expect((await winnow(other)).code).toBe(0);
    await cp(at('other', 'checkpoints', name), at('run', 'checkpoints', name));
    rmSync(at('run', 'summary.json'));
    await blames(
      at('run', 'checkpoints', name),
      ['train', '--resume', '--out', at('run')],
      /not a checkpoint that this run can go on from .*remove it to compute it again/s,
    );
  });

  it('a ticket that is none', async () => {
    writeFileSync(at('ticket.json'), '{"masks": {}}');
    const overlap = ['ticket', 'overlap', '--tickets', [at('ticket.json'), at('ticket.json')].join(',')];
    await blames(at('ticket.json'), overlap, /is not a ticket/);
    writeFileSync(at('ticket.json'), '['.repeat(1e6));
    await blames(at('ticket.json'), overlap, /at most 100 brackets/);
  });
});
