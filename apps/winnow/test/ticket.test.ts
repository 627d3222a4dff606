import { readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { makePictures } from '@winnow/testkit';
import { signalWatched, winnow } from './terminal';

const root = await mkdtemp(join(tmpdir(), 'winnow-ticket-'));
const at = (...path: string[]) => join(root, ...path);
const TINY = ['--engine', 'wasm', '--batch-size', '4', '--seed', '3'];

const dense = (out: string, seed: string) => [
  ...['train', '--data', at('pictures'), '--engine', 'wasm', '--batch-size', '4', '--seed', seed],
  ...['--image-size', '16', '--patch-size', '8', '--duration', '4it', '--evaluate-every', '0it'],
  ...['--out', at(out)],
];
const find = (out: string, to: string, ...more: string[]) => [
  ...['ticket', 'find', '--from', at('dense'), '--data', at('pictures'), ...TINY, '--to', to],
  ...['--round', '3it', '--original-fraction', '0.2', '--checkpoint-every', '2it', '--out', at(out), ...more],
];

beforeAll(async () => {
  await makePictures(at('pictures'));
  await makePictures(at('others'), { train: 8, validation: 2, test: 2 });
  for (const [out, seed] of [
    ['dense', '3'],
    ['other', '4'],
  ] as const)
    expect((await winnow(dense(out, seed))).code).toBe(0);
  const found = await winnow(find('tickets', '60%'));
  expect(found.stderr).toMatch(/round-4: step 3\/3/);
  expect(found.code).toBe(0);
});
afterAll(() => rm(root, { recursive: true, force: true }));

const stepLine = z.looseObject({ phase: z.string(), loss: z.number().optional() });
const stepsByPhase = (out: string) => {
  const counts: Record<string, number> = {};
  for (const line of readFileSync(at(out, 'metrics.jsonl'), 'utf8').trimEnd().split('\n')) {
    const { phase, loss } = stepLine.parse(JSON.parse(line));
    if (loss !== undefined) counts[phase] = (counts[phase] ?? 0) + 1;
  }
  return counts;
};
const found = z.looseObject({
  tickets: z.array(
    z.looseObject({ sparsity: z.number(), round: z.number(), scores: z.record(z.string(), z.number()) }),
  ),
  ledger: z.array(z.looseObject({ phase: z.string() })),
});
const summaryOf = (out: string) => found.parse(JSON.parse(readFileSync(at(out, 'summary.json'), 'utf8')));
const ticketsOf = (out: string) =>
  Object.fromEntries(
    readdirSync(at(out, 'tickets')).map((name) => [name, readFileSync(at(out, 'tickets', name), 'utf8')]),
  );

test('find writes a ticket for every sparsity, with the score that it comes to', () => {
  expect(readdirSync(at('tickets', 'tickets')).sort()).toEqual(['20.00.json', '40.00.json', '60.00.json']);
  const { tickets, ledger } = summaryOf('tickets');
  expect(tickets.map(({ round }) => round)).toEqual([0, 1, 2, 3]);
  for (const { scores } of tickets) expect(scores['top1']).toBeGreaterThanOrEqual(0);
  expect(ledger.map(({ phase }) => phase)).toEqual(['round-1', 'round-2', 'round-3', 'round-4']);
});

test('a longer search goes on where a shorter one has ended, and comes to the same', async () => {
  expect((await winnow(find('grown', '20%'))).code).toBe(0);
  expect(stepsByPhase('grown')).toEqual({ 'round-1': 3, 'round-2': 3 });
  const grown = await winnow(find('grown', '60%', '--resume'));
  expect(grown.stderr).not.toMatch(/round-[12]: step/);
  expect(stepsByPhase('grown')).toEqual({ 'round-1': 3, 'round-2': 3, 'round-3': 3, 'round-4': 3 });
  expect(summaryOf('grown').tickets).toEqual(summaryOf('tickets').tickets);
  expect(ticketsOf('grown')).toEqual(ticketsOf('tickets'));
  // What has been found is only shown.
  expect((await winnow(find('grown', '40%', '--resume'))).stderr).not.toMatch(/round/);
});

test('stopped in round 3, it goes on in round 3', async () => {
  const stopped = await winnow(
    find('stopped', '60%'),
    signalWatched((looks) => looks >= 7),
  );
  expect(stopped.code).toBe(130);
  expect(stopped.stderr).toMatch(/winnow ticket find --resume/);
  const resumed = await winnow(find('stopped', '60%', '--resume'));
  expect(resumed.stderr).not.toMatch(/round-[12]: step/);
  expect(stepsByPhase('stopped')).toEqual(stepsByPhase('tickets'));
  expect(ticketsOf('stopped')).toEqual(ticketsOf('tickets'));
});

test('a search against an adversary costs what it costs, and needs something to perturb', async () => {
  const adversarial = await winnow(find('adversarial', '20%', '--adversarial', 'patches'));
  expect(adversarial.code).toBe(0);
  const macs = z.looseObject({ ledger: z.array(z.looseObject({ trainingMacs: z.number() })) });
  const costOf = (out: string) =>
    macs.parse(JSON.parse(readFileSync(at(out, 'summary.json'), 'utf8'))).ledger[0]?.trainingMacs ?? 0;
  expect(costOf('adversarial') / costOf('tickets')).toBeCloseTo(10 / 3, 9);
  expect(ticketsOf('adversarial')['20.00.json']).not.toEqual(ticketsOf('tickets')['20.00.json']);
  const words = await winnow(find('words', '20%', '--adversarial', 'words'));
  expect([words.code, words.stderr]).toEqual([2, expect.stringMatching(/no words that could be perturbed/)]);
  const idle = await winnow(find('idle', '20%', '--adversarial-steps', '2'));
  expect([idle.code, idle.stderr]).toEqual([2, expect.stringMatching(/has no use without --adversarial/)]);
});

describe('a ticket', () => {
  const train = (out: string, ...more: string[]) => [
    ...['ticket', 'train', '--ticket', at('tickets', 'tickets', '40.00.json'), ...TINY],
    ...['--duration', '3it', '--out', at(out), ...more],
  ];

  test('is trained on another task from the weights that it was found from, and saved', async () => {
    const trained = await winnow(train('trained', '--from', at('dense'), '--data', at('others')));
    expect(trained.stderr).toMatch(/ticket: step 3\/3/);
    expect(trained.stdout).toMatch(/sparsity +│ +40\.0 %/);
    const inspected = await winnow(['inspect', at('trained')]);
    expect(inspected.stdout).toMatch(/│ all .* 60\.0 % │/);
    const scored = await winnow([
      'evaluate',
      at('trained', 'model'),
      '--data',
      at('others'),
      '--json',
      '--engine',
      'wasm',
    ]);
    const { scores } = z.looseObject({ scores: z.unknown() }).parse(JSON.parse(scored.stdout));
    expect(JSON.parse(readFileSync(at('trained', 'summary.json'), 'utf8'))).toMatchObject({ scores });
  });

  test('is not trained from other weights by mistake', async () => {
    const refused = await winnow(train('mistaken', '--from', at('other'), '--data', at('others')));
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/the ticket is for a vision tower with SHA-256 .* --other-weights/);
    const asked = await winnow(
      train('other-weights', '--from', at('other'), '--data', at('others'), '--other-weights'),
    );
    expect(asked.code).toBe(0);
  });

  test('is not trained from weights that are gone', async () => {
    await winnow(train('once', '--from', at('dense'), '--data', at('others')));
    const again = await winnow(train('twice', '--from', at('once'), '--data', at('others')));
    expect(again.code).toBe(2);
    expect(again.stderr).toMatch(/has lost weights already/);
  });
});

test('the matrix has every ticket and control on every task, with verdicts', async () => {
  const args = (...more: string[]) => [
    ...['ticket', 'transfer', '--tickets', at('tickets', 'tickets', '20.00.json')],
    ...['--from', at('dense'), '--other', at('other'), '--controls', 'none,random-like-ticket,shuffled'],
    ...['--onto', `classification:${at('pictures')},classification:${at('others')}`, '--seeds', '2'],
    ...[...TINY, '--duration', '2it', '--out', at('matrix'), ...more],
  ];
  const stopped = await winnow(
    args(),
    signalWatched((looks) => looks >= 9),
  );
  expect(stopped.code).toBe(130);
  const { code, stdout } = await winnow(args('--resume'));
  expect(code).toBe(0);
  expect(stdout).toMatch(/20 %, random-like-ticket +│ +\d+\.\d+ ± \d+\.\d+ = \d+\.\d %/);
  const { rows, onto } = z
    .looseObject({
      onto: z.array(z.looseObject({ dense: z.array(z.number()) })),
      rows: z.array(
        z.looseObject({
          control: z.string(),
          cells: z.array(z.looseObject({ scores: z.array(z.number()), mean: z.number() })),
        }),
      ),
    })
    .parse(JSON.parse(readFileSync(at('matrix', 'summary.json'), 'utf8')));
  expect(onto.map(({ dense }) => dense.length)).toEqual([2, 2]);
  expect(rows.map(({ control }) => control)).toEqual([
    'none',
    'random-like-ticket',
    'shuffled',
    'other-weights',
  ]);
  for (const { cells } of rows) {
    expect(cells).toHaveLength(2);
    for (const { scores, mean } of cells)
      expect(mean).toBeCloseTo(((scores[0] ?? 0) + (scores[1] ?? 0)) / 2, 9);
  }
});

describe('a report', () => {
  const page = z.looseObject({
    kind: z.literal('sparsity'),
    charts: z.array(
      z.looseObject({
        onto: z.string(),
        dense: z.number(),
        bar: z.number(),
        curves: z.array(
          z.looseObject({
            label: z.string(),
            isControl: z.boolean(),
            points: z.array(z.looseObject({ sparsity: z.number(), mean: z.number(), verdict: z.string() })),
          }),
        ),
      }),
    ),
    matrices: z.array(z.looseObject({ title: z.string(), rows: z.array(z.string()) })),
  });
  const pageOf = async (run: string) => {
    const { code, stdout } = await winnow(['report', at(run)]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/The page is .*report\.html/);
    const html = readFileSync(at(run, 'report.html'), 'utf8');
    const data = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(html)?.[1] ?? '';
    return page.parse(JSON.parse(data));
  };

  test('of a search has its scores by sparsity, and what is left of every layer', async () => {
    const { charts, matrices } = await pageOf('tickets');
    const { tickets } = summaryOf('tickets');
    const scores = tickets.map(({ scores }) => scores['top1'] ?? Number.NaN);
    expect(charts).toMatchObject([{ dense: scores[0], bar: 0.99 * (scores[0] ?? 0) }]);
    expect(charts[0]?.curves[0]?.points.map(({ mean }) => mean)).toEqual(scores.slice(1));
    expect(matrices).toMatchObject([{ title: 'What is left of every tower and layer' }]);
  });

  test('of a matrix has a curve for tickets and for each control on every task', async () => {
    const { charts, matrices } = await pageOf('matrix');
    expect(charts).toHaveLength(2);
    for (const { dense, bar, curves } of charts) {
      expect(curves.map(({ isControl }) => isControl)).toEqual([false, true, true, true]);
      for (const { mean, verdict } of curves.flatMap(({ points }) => points))
        expect(verdict === 'wins').toBe(mean >= bar);
      expect(bar).toBeCloseTo(0.99 * dense, 9);
    }
    expect(matrices.map(({ title }) => title)).toEqual(['Transfer']);
  });

  test('of a trained ticket shows what is left; of a run on its way says how to go on', async () => {
    expect((await pageOf('trained')).charts).toEqual([]);
    await winnow(
      find('halfway', '60%'),
      signalWatched((looks) => looks >= 3),
    );
    const { code, stderr } = await winnow(['report', at('halfway')]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/has not finished: winnow ticket find --resume --out/);
  });
});

test('overlaps stand beside those of random masks', async () => {
  const files = [20, 40].map((sparsity) => at('tickets', 'tickets', `${sparsity}.00.json`)).join();
  const { stdout } = await winnow(['ticket', 'overlap', '--tickets', files, '--json']);
  const { overlaps } = z
    .looseObject({
      overlaps: z.array(z.array(z.object({ shared: z.number(), random: z.number(), weights: z.int() }))),
    })
    .parse(JSON.parse(stdout));
  // Of one search, the sparser mask lies within the other: 0.6 of 0.8.
  expect(overlaps[0]?.[1]?.shared).toBeCloseTo(0.75, 4);
  expect(overlaps[0]?.[1]?.random).toBeCloseTo((0.8 * 0.6) / (0.8 + 0.6 - 0.48), 4);
  expect((await winnow(['ticket', 'overlap', '--tickets', files])).stdout).toMatch(/vision layer 0/);
});

test.each<[string, string[], RegExp]>([
  ['no second word', ['ticket'], /ticket find/],
  ['a mistyped second word', ['ticket', 'fnd'], /did you mean ticket find/],
  [
    'one ticket to compare',
    ['ticket', 'overlap', '--tickets', 'a.json'],
    /cannot read a\.json: there is no such file/,
  ],
  ['no ticket to compare', ['ticket', 'overlap'], /at least two files/],
  [
    'a sparsity of everything',
    find('none', '100%'),
    /expected the share of weights that goes, like 90% or 0.9, above 0 and below 100 %/,
  ],
  [
    'an unknown control',
    [
      'ticket',
      'transfer',
      '--from',
      at('dense'),
      '--tickets',
      at('tickets', 'tickets', '20.00.json'),
      '--controls',
      'rnd',
    ],
    /controls: expected none, random/,
  ],
])('refuses %s', async (_what, args, message) => {
  const { code, stderr } = await winnow(args);
  expect(stderr).toMatch(message);
  expect(code).toBe(2);
});

test('the help of a command of two words shows its options', async () => {
  const { code, stdout } = await winnow(['ticket', 'find', '--help']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^winnow ticket find/);
  expect(stdout).toMatch(/--original-fraction/);
  expect((await winnow(['--help'])).stdout).toMatch(/ticket find +Find lottery tickets/);
});
