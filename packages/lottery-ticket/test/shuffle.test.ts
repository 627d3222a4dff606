import { createHash } from 'node:crypto';
import { memory, tensor } from '@tensorflow/tfjs-core';
import { type TensorTree, disposeTree, entriesOf, mapTree, prunableMatrices, tidyTree } from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { type TinyModel, crossEncoders, tinyDualEncoder, tinyModel } from '@winnow/testkit';
import { ticketName, ticketPlace, towerParameter } from '../src/names';
import { type Disturbance, disturbed } from '../src/shuffle';

beforeAll(async () => {
  await startEngine('wasm');
});

const hostOf = (tree: TensorTree) =>
  new Map(entriesOf(tree).map(([path, leaf]) => [path, [...leaf.dataSync()]]));
const sorted = (values: readonly number[] | undefined) => [...(values ?? [])].sort((a, b) => a - b);

function after({ model, params }: TinyModel, how: Disturbance, seed = 1) {
  const result = tidyTree((): TensorTree => disturbed(model, params, how, seed));
  const host = hostOf(result);
  disposeTree(result);
  return host;
}

describe.each([
  ['a vision transformer', tinyModel],
  ['a dual encoder', tinyDualEncoder],
])('disturbing the weights of %s', (_what, make) => {
  it('within tensors leaves each its values in another order, and heads alone', () => {
    const before = memory().numTensors;
    const tiny = make();
    const original = hostOf(tiny.params);
    const shuffled = after(tiny, 'within-tensors');
    expect([...shuffled.keys()]).toEqual([...original.keys()]);
    for (const [path, values] of original) {
      expect(sorted(shuffled.get(path))).toEqual(sorted(values));
      if (path.startsWith('head.')) expect(shuffled.get(path)).toEqual(values);
      else if (path.endsWith('query.weight')) expect(shuffled.get(path)).not.toEqual(values);
    }
    expect(after(tiny, 'within-tensors')).toEqual(shuffled);
    expect(after(tiny, 'within-tensors', 2)).not.toEqual(shuffled);
    disposeTree(tiny.params);
    expect(memory().numTensors).toBe(before);
  });

  it('by whole layers gives every layer to one place of its tower, and leaves the rest', () => {
    const tiny = make();
    const original = hostOf(tiny.params);
    const layersIn = (host: ReadonlyMap<string, number[]>) => {
      const layers = new Map<string, string>();
      for (const [path, values] of host) {
        const [, tower, layer] = /^(.*blocks)\.(\d+)\./.exec(path) ?? [];
        if (tower === undefined) continue;
        layers.set(`${tower}.${layer}`, `${layers.get(`${tower}.${layer}`) ?? ''}/${values.join()}`);
      }
      return layers;
    };
    const seen = new Set<string>();
    for (let seed = 0; seed < 6; seed++) {
      const swapped = after(tiny, 'whole-layers', seed);
      const [theirs, ours] = [layersIn(swapped), layersIn(original)];
      for (const tower of new Set([...ours.keys()].map((key) => key.replace(/\.\d+$/, '')))) {
        const of = (layers: Map<string, string>) =>
          [...layers].flatMap(([key, values]) => (key.startsWith(`${tower}.`) ? [values] : [])).sort();
        expect(of(theirs)).toEqual(of(ours));
      }
      for (const [path, values] of original)
        if (!path.includes('blocks.')) expect(swapped.get(path)).toEqual(values);
      seen.add([...theirs.values()].join());
    }
    expect(seen.size).toBeGreaterThan(1);
    disposeTree(tiny.params);
  });

  it('by nothing is a copy', () => {
    const tiny = make();
    expect(after(tiny, 'none')).toEqual(hostOf(tiny.params));
    disposeTree(tiny.params);
  });
});

/** SHA-256 of all entries, where each entry holds its own number before it is disturbed. */
function digest({ model, params }: TinyModel, how: Disturbance): string {
  let next = 0;
  const numbered = mapTree(params, (leaf) => {
    const first = next;
    next += leaf.size;
    return tensor(
      Float32Array.from({ length: leaf.size }, (_, entry) => first + entry),
      leaf.shape,
    );
  });
  const hash = createHash('sha256');
  for (const [path, values] of after({ model, params: numbered }, how, 7))
    hash.update(`${path} ${values.join()}\n`);
  disposeTree([numbered, params]);
  return hash.digest('hex').slice(0, 16);
}

it('gives the same entries for the same seed as in every version before', () => {
  const kinds = [tinyModel, tinyDualEncoder];
  expect(kinds.map((make) => digest(make(), 'within-tensors'))).toEqual([
    '62f948d1b69efc4d',
    'be067655352d1fd7',
  ]);
  expect(kinds.map((make) => digest(make(), 'whole-layers'))).toEqual([
    '194f5453cb26ed71',
    '237e4c34f70fbc6a',
  ]);
});

it('leaves a family without blocks as it is, by whole layers', () => {
  const tiny = crossEncoders.makeModel();
  expect(tiny.model.sites.map(({ block }) => block)).toEqual(tiny.model.sites.map(() => undefined));
  expect(after(tiny, 'whole-layers')).toEqual(hostOf(tiny.params));
  disposeTree(tiny.params);
});

describe('the name of a matrix in a ticket', () => {
  it.each([
    ['a vision transformer', tinyModel],
    ['a dual encoder', tinyDualEncoder],
  ])('says its tower and its layer, in %s', (_what, make) => {
    const { model, params } = make();
    const matrices = prunableMatrices(model);
    expect(matrices.length).toBeGreaterThan(0);
    for (const matrix of matrices) {
      const { tower, layer, parameter } = matrix;
      const place = layer === undefined ? 'projection' : `layer ${layer}`;
      expect(ticketPlace(ticketName(matrix))).toEqual({ tower, place });
      const named = layer === undefined ? undefined : { tower, name: ticketName(matrix) };
      expect(towerParameter(model, parameter)).toEqual(named);
    }
    disposeTree(params);
  });
});
