import { disposeTree, randomStream, shareKind } from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { z } from 'zod';
import { commit, decisionOf } from '../src/commit';
import { denseParameters } from '../src/count';
import { findingsOf } from '../src/findings';
import { asVector, bySubLayer, layoutOf, vectorSizes } from '../src/layout';
import { resolveConflicts } from '../src/structure';
import { paired, parametersOf, small, twoTowers } from './towers';

beforeAll(async () => {
  await startEngine('wasm');
});

const schema = z.object({
  parameters: z.object({ stored: z.number(), target: z.number() }),
  subLayers: z.array(z.object({ id: z.string(), borrowed: z.number(), pruned: z.number() }).loose()),
  distances: z.record(
    z.string(),
    z.object({ selected: z.number().nullable(), others: z.number().nullable() }),
  ),
});

it('tells of every sub-layer what the decision says, and how far its columns are from what replaces them', () => {
  const model = twoTowers(small);
  const pairing = paired(small, { acrossTowers: true, baseLayers: [0] });
  const layout = layoutOf(pairing);
  const random = randomStream(5, 'confidences');
  const confidences = Object.fromEntries(
    pairing.subLayers.map((subLayer) => {
      const { share, keep } = vectorSizes(subLayer);
      const draw = (count: number) => Float32Array.from({ length: count }, () => random.normal());
      return [subLayer.id, { share: draw(share), keep: draw(keep) }];
    }),
  );
  const target = denseParameters(pairing) * 0.6;
  const committed = commit(pairing, confidences, target);
  const resolved = resolveConflicts(asVector(committed.choices, layout), layout);
  const structure = bySubLayer(resolved, layout, 1);
  const weights = parametersOf(model, 3);
  const found = schema.parse(findingsOf({ pairing, committed, target, evolution: [], structure, weights }));
  const { sites } = decisionOf(pairing, committed.choices, model.sites);
  const shares: number[] = [];
  for (const { id, borrowed, pruned } of found.subLayers) {
    const site = sites[id];
    if (site === undefined || !shareKind.is(site)) throw new Error(`${id} is not shared`);
    const { query = '', hidden = '' } = site.columns;
    const all = Object.values(site.columns).join('');
    const share = (letters: string, wanted: string) =>
      [...letters].filter((letter) => letter === wanted).length / letters.length;
    expect(borrowed).toBeCloseTo(share(all, 'b'), 9);
    expect(pruned).toBeCloseTo(share(query + hidden, 'p'), 9);
    shares.push(borrowed, pruned);
  }
  expect(new Set(shares).size).toBeGreaterThan(4);
  // Fresh weights of both towers are independent: their columns lie further apart than from zero.
  const { pruned, acrossTowers, acrossLayers } = found.distances;
  expect(acrossTowers?.selected).toBeGreaterThan(pruned?.selected ?? Number.NaN);
  expect(acrossLayers?.others).toBeGreaterThan(pruned?.others ?? Number.NaN);
  disposeTree(weights);
});
