import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { makePictures } from '@winnow/testkit';
import { PROVED, winnow } from './terminal';

const root = await mkdtemp(join(tmpdir(), 'winnow-retrieval-'));
const at = (...path: string[]) => join(root, ...path);
const TINY = ['--engine', 'wasm', '--batch-size', '4', '--seed', '3', '--task', 'retrieval'];

beforeAll(async () => {
  await makePictures(at('pictures'));
  const rows = ['train', 'validation', 'test'].flatMap((split) =>
    ['red', 'blue'].flatMap((colour) =>
      readdirSync(at('pictures', split, colour)).flatMap((file) => [
        `pictures/${split}/${colour}/${file},a ${colour} picture,${split}`,
        `pictures/${split}/${colour}/${file},"something ${colour}, number ${file.replace('.png', '')}",${split}`,
      ]),
    ),
  );
  writeFileSync(at('captions.csv'), ['image,caption,split', ...rows].join('\n'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const jsonOf = (...path: string[]): unknown => JSON.parse(readFileSync(at(...path), 'utf8'));
const recalls = z.object({
  meanR: z.number(),
  textR1: z.number(),
  textR5: z.number(),
  textR10: z.number(),
  imageR1: z.number(),
  imageR5: z.number(),
  imageR10: z.number(),
});
const SHAPE = ['--image-size', '16', '--patch-size', '8'];
const dense = (out: string) => [
  ...['train', '--data', at('captions.csv'), ...TINY, ...SHAPE, '--duration', '8it'],
  ...['--evaluate-every', '0it', '--out', at(out)],
];

test('a dual encoder is trained, scored, looked at, compressed in both towers and exported', async () => {
  const trained = await winnow(dense('dense'));
  expect(trained.stderr).not.toMatch(/winnow:/);
  expect(trained.code).toBe(0);
  expect(trained.stdout).toMatch(/test textR1/);
  expect(existsSync(at('dense', 'model', 'tokenizer.json'))).toBe(true);
  const summary = z
    .looseObject({ metric: z.string(), model: z.looseObject({ scores: recalls }) })
    .parse(jsonOf('dense', 'summary.json'));
  expect(summary.metric).toBe('meanR');

  const evaluated = await winnow(['evaluate', at('dense'), '--engine', 'wasm', '--json']);
  expect(evaluated.stderr).not.toMatch(/winnow:/);
  expect(JSON.parse(evaluated.stdout)).toMatchObject({ examples: 8, scores: summary.model.scores });

  const compressed = await winnow([
    ...['compress', '--from', at('dense'), '--data', at('captions.csv'), ...TINY, '--prove', 'full'],
    ...['--search', '5it', '--retrain', '4it', '--distill', '0.5', '--out', at('small')],
  ]);
  expect(compressed.stderr).not.toMatch(/winnow:/);
  expect(compressed.stdout).toMatch(/textR1, retrained/);
  expect(compressed.stdout).toContain(PROVED);
  const { ratios, ledger } = z
    .looseObject({
      ratios: z.record(z.string(), z.number()),
      ledger: z.array(z.looseObject({ phase: z.string(), examples: z.number(), trainingMacs: z.number() })),
    })
    .parse(jsonOf('small', 'summary.json'));
  expect(ratios['compressible-parameters']).toBeGreaterThanOrEqual(2);
  // The teacher's forward pass is charged: more than the three passes of the small model.
  const [search, retrain] = ['search', 'retrain'].map((name) => {
    const entry = ledger.find(({ phase }) => phase === name);
    return (entry?.trainingMacs ?? Number.NaN) / (entry?.examples ?? Number.NaN);
  });
  expect(retrain).toBeGreaterThan((search ?? 0) / 3);

  const inspected = await winnow(['inspect', at('small')]);
  expect(inspected.stdout).toMatch(/Dual encoder/);
  expect(inspected.stdout).toMatch(/vision attention.*vision ffn.*text attention.*text ffn/);

  const exported = await winnow(['export', at('small'), '--out', at('exported')]);
  expect(exported.stdout).toMatch(/in our own layout/);
  const again = await winnow(['inspect', at('exported'), '--json']);
  const before = await winnow(['inspect', at('small'), '--json']);
  expect(JSON.parse(again.stdout)).toEqual(JSON.parse(before.stdout));
});

test('what goes on from a run has its data and pictures, and what every site kept is told of its dense self', async () => {
  writeFileSync(at('elsewhere.csv'), readFileSync(at('captions.csv'), 'utf8').replaceAll('pictures/', ''));
  const trained = await winnow([
    ...['train', '--data', at('elsewhere.csv'), '--images', at('pictures'), ...TINY, ...SHAPE],
    ...['--duration', '2it', '--evaluate-every', '0it', '--out', at('elsewhere')],
  ]);
  expect(trained.stderr).not.toMatch(/winnow:/);
  const evaluated = await winnow(['evaluate', at('elsewhere'), '--engine', 'wasm', '--json']);
  expect(JSON.parse(evaluated.stdout)).toMatchObject({ data: 'elsewhere', examples: 8 });

  const compressed = await winnow([
    ...['compress', '--from', at('elsewhere'), '--method', 'magnitude', '--search', '0it'],
    ...['--retrain', '1it', ...TINY, '--out', at('less')],
  ]);
  expect(compressed.stderr).not.toMatch(/winnow:/);
  expect(jsonOf('less', 'config.json')).toMatchObject({
    options: { data: at('elsewhere.csv'), images: at('pictures') },
  });

  const inspected = async (run: string) =>
    inspection.parse(JSON.parse((await winnow(['inspect', at(run), '--json'])).stdout));
  const dense = await inspected('elsewhere');
  const small = await inspected('less');
  expect(dense.kept).toEqual([]);
  expect(small.kept).toEqual(
    dense.sites.map(({ id, tower, layer, structure, units }, index) => ({
      site: id,
      layer,
      component: `${tower} ${structure}`,
      kept: small.sites[index]?.units,
      borrowed: 0,
      units,
    })),
  );
  const components = ['vision attention', 'vision ffn', 'text attention', 'text ffn'];
  expect([...new Set(small.kept.map(({ component }) => component))].sort()).toEqual(components.sort());
  const removed = small.kept.map(
    ({ kept, units }, index) => (units - kept) * (dense.sites[index]?.unitCost.parameters ?? Number.NaN),
  );
  expect(removed.reduce((sum, parameters) => sum + parameters)).toBe(dense.parameters - small.parameters);
  const shares = small.kept.map(({ kept, units }) => kept / units);
  expect(Math.min(...shares)).toBeLessThan(Math.max(...shares));
});

const inspection = z.looseObject({
  parameters: z.number(),
  sites: z.array(
    z.looseObject({
      id: z.string(),
      tower: z.string(),
      layer: z.number(),
      structure: z.string(),
      units: z.number(),
      unitCost: z.object({ parameters: z.number(), macs: z.number() }),
    }),
  ),
  kept: z.array(z.looseObject({ component: z.string(), kept: z.number(), units: z.number() })),
});

test('a model of another task is refused with the task that it is for', async () => {
  await winnow(dense('other'));
  const wrong = await winnow([
    ...['compress', '--from', at('other'), '--task', 'classification', '--data', at('pictures')],
    ...['--engine', 'wasm', '--out', at('wrong')],
  ]);
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toMatch(/dual-encoder: compress it with --task retrieval/);
  const unknown = await winnow(['train', '--task', 'retrievel']);
  expect(unknown.code).toBe(2);
  expect(unknown.stderr).toMatch(/did you mean retrieval/);
});

test('columns are shared and pruned by a hypernetwork, stored once, and scored again from disk', async () => {
  expect((await winnow(dense('dense-to-share'))).code).toBe(0);
  const compressed = await winnow([
    ...['compress', '--from', at('dense-to-share'), '--data', at('captions.csv'), ...TINY, '--prove', 'full'],
    ...['--method', 'bwsp', '--blocks', '2', '--search', '8it', '--subset', '0.5', '--budget', '60%'],
    ...['--retrain', '4it', '--out', at('shared')],
  ]);
  expect(compressed.stderr).toMatch(/weights 8it \(8 steps\), structure 4it \(4 steps\)/);
  expect(compressed.stderr).toMatch(/the structure keeps \d+\.\d % of the compressible parameters/);
  expect(compressed.stderr).toMatch(/moved to meet it/);
  expect(compressed.code).toBe(0);
  expect(compressed.stdout).toContain(PROVED);

  const summary = z
    .looseObject({
      budget: z.object({ keep: z.number() }),
      achieved: z.object({ removed: z.number(), asked: z.number() }),
      compressed: z.looseObject({ parameters: z.number(), bytes: z.number(), retrained: recalls }),
    })
    .parse(jsonOf('shared', 'summary.json'));
  expect(summary.achieved.removed).toBeGreaterThanOrEqual(summary.achieved.asked * (1 - 1e-6));
  // Four bytes a parameter, and a header.
  const { parameters, bytes } = summary.compressed;
  expect(bytes - 4 * parameters).toBeGreaterThan(0);
  expect(bytes - 4 * parameters).toBeLessThan(50_000);

  const findings = z
    .object({
      parameters: z.object({
        target: z.number(),
        learned: z.number(),
        stored: z.number(),
        movedGates: z.int(),
      }),
      subLayers: z.array(z.looseObject({ id: z.string(), borrowed: z.number(), pruned: z.number() })),
      distances: z.record(
        z.string(),
        z.object({ selected: z.number().nullable(), others: z.number().nullable() }),
      ),
      evolution: z.array(z.looseObject({ epoch: z.int(), stored: z.number() })),
    })
    .parse(jsonOf('shared', 'findings.json'));
  expect(findings.parameters.stored).toBeLessThanOrEqual(findings.parameters.target);
  expect(findings.subLayers).toHaveLength(16);
  expect(Object.keys(findings.distances)).toEqual(['pruned', 'acrossTowers', 'acrossLayers']);

  const evaluated = await winnow(['evaluate', at('shared'), '--engine', 'wasm', '--json']);
  expect(JSON.parse(evaluated.stdout)).toMatchObject({ parameters, scores: summary.compressed.retrained });

  const inspected = await winnow(['inspect', at('shared'), '--json']);
  const { kept } = z
    .looseObject({
      kept: z.array(
        z.looseObject({ component: z.string(), kept: z.int(), borrowed: z.int(), units: z.int() }),
      ),
    })
    .parse(JSON.parse(inspected.stdout));
  expect(kept).toHaveLength(16);
  expect(new Set(kept.map(({ component }) => component)).size).toBe(4);
  for (const { kept: own, borrowed, units } of kept) expect(own + borrowed).toBeLessThanOrEqual(units);

  const exported = await winnow(['export', at('shared'), '--out', at('shared-exported')]);
  expect(exported.stdout).toMatch(/columns are shared.*\n.*our own layout/);
  const again = await winnow([
    ...['compress', '--from', at('shared'), '--data', at('captions.csv'), ...TINY, '--out', at('again')],
  ]);
  expect(again.code).toBe(2);
  expect(again.stderr).toMatch(/columns are shared or its weights masked, so start from the dense model/);
}, 120_000);
