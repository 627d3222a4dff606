import { type Tensor, add, onesLike, zerosLike } from '@tensorflow/tfjs-core';
import { disposeTree, entriesOf, mapTree, tidyTree } from '@winnow/core';
import { startEngine } from '@winnow/engine';
import { tinyModel } from '@winnow/testkit';
import { type Masked, searchOptimizer, unmasked } from '../src/masks';

beforeAll(() => startEngine('wasm'));

it('searches with the weight decay of the model, and none for masks', () => {
  const { model, params } = tinyModel();
  const moved = tidyTree(() => {
    const tree: Masked = { weights: mapTree(params, (leaf) => add(leaf, 1)), masks: unmasked(model.sites) };
    const optimizer = searchOptimizer<Masked>(
      model,
      { learningRate: 0.1, warmup: 0, weightDecay: 0.5, layerDecay: 1 },
      1,
      () => true,
    );
    const gradients = mapTree(tree, (leaf) => zerosLike(leaf));
    const updated = optimizer.update({ params: tree, gradients, state: optimizer.init(tree), step: 0 });
    const before = new Map(entriesOf<Tensor>(tree).map(([path, leaf]) => [path, leaf.dataSync()[0]]));
    return entriesOf<Tensor>(updated.params).flatMap(([path, leaf]) =>
      leaf.dataSync()[0] === before.get(path) ? [] : [path],
    );
  });
  expect(moved).toContain('weights.head.weight');
  expect(moved).not.toContain('weights.positions');
  expect(moved.every((path) => path.startsWith('weights.') && path.endsWith('.weight'))).toBe(true);
  disposeTree(params);
});

it('warms a search up: AdamW moves a weight by a share of the learning rate at first, then by all of it', () => {
  const { model, params } = tinyModel();
  const moves = tidyTree(() => {
    const warm = { learningRate: 0.1, warmup: 0.4, weightDecay: 0, layerDecay: 1 };
    const optimizer = searchOptimizer<Masked>(model, warm, 10, () => true);
    const start: Masked = { weights: params, masks: unmasked(model.sites) };
    const gradients = mapTree(start, (leaf) => onesLike(leaf));
    let [tree, state] = [start, optimizer.init(start)];
    const found: number[] = [];
    for (let step = 0; step < 6; step++) {
      const next = optimizer.update({ params: tree, gradients, state, step });
      const biasOf = (masked: Masked) =>
        new Map(entriesOf<Tensor>(masked)).get('weights.head.bias')?.dataSync()[0] ?? NaN;
      found.push(biasOf(tree) - biasOf(next.params));
      [tree, state] = [next.params, next.state];
    }
    return found;
  });
  // The same gradient at every step: AdamW's step is the learning rate of that step.
  expect(moves.map((move) => Math.round(move * 1e4) / 1e4)).toEqual([0.025, 0.05, 0.075, 0.1, 0.1, 0.1]);
  disposeTree(params);
});
