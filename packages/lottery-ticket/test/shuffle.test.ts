import { memory } from '@tensorflow/tfjs-core';
import { type TensorTree, disposeTree, entriesOf, tidyTree } from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { type TinyModel, tinyDualEncoder, tinyModel } from '@winnow/testkit';
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
