import { budgetOf, sparsityOf } from '../src/options/budget';
import { compressGroups } from '../src/options/compress-options';
import { hashOf } from '../src/options/hash';
import { trainGroups } from '../src/options/train-options';
import { workloadNamed } from '../src/workload/choice';
import { refuseIdle } from '../src/workload/idle-options';

test('budgets are read as people write them', () => {
  expect(['2x', '50%', '0.5', 0.5, '.5'].map((text) => budgetOf(text, 'macs').keep)).toEqual([
    0.5, 0.5, 0.5, 0.5, 0.5,
  ]);
  expect(() => budgetOf('x2', 'macs')).toThrow(/expected 2x \(half as large\), 50% or 0.5/);
});

test('the hash depends on the values, not on their order', () => {
  expect(hashOf({ a: 1, b: { c: [2], d: null } })).toBe(hashOf({ b: { d: null, c: [2] }, a: 1 }));
  expect(hashOf({ a: 1 })).not.toBe(hashOf({ a: 2 }));
});

test('a sparsity is the share that goes, and no ratio, which would be read as either', () => {
  expect(['90%', '0.9', 0.9, '.9'].map(sparsityOf)).toEqual([0.9, 0.9, 0.9, 0.9]);
  for (const wrong of ['4x', '0', 0, 1, '100%', '-5%', 'most']) {
    expect(() => sparsityOf(wrong)).toThrow(/^--to: expected the share of weights that goes/);
  }
  expect(() => sparsityOf(90)).toThrow(/did you mean 90%\?$/);
});

test('options about a new model have no use beside one that there is, and the other way round', () => {
  expect(() => trainGroups({ from: 'dense', patchSize: 4, model: 'tiny' })).toThrow(
    /^--patch-size, --model are about a new model, and --from names one that there is: leave them out$/,
  );
  expect(() => trainGroups({ head: 'new' })).toThrow(
    /^--head is about a model that there is: name one with --from/,
  );
  expect(() => compressGroups({ method: 'random', mergeTokens: 1 })).toThrow(/^--merge-tokens is about/);
  expect(trainGroups({ from: 'dense', head: 'new' })).toHaveLength(1);
});

test('options that a task does not read are refused', () => {
  const grounding = workloadNamed('grounding');
  expect(() => refuseIdle(grounding, { nested: true, classOrder: 'assumed', images: 'pictures' })).toThrow(
    /^--nested, --class-order have no use for grounding: leave them out$/,
  );
  expect(() => refuseIdle(grounding, { images: 'pictures', split: 'test', nested: undefined })).not.toThrow();
  expect(() => refuseIdle(workloadNamed(), { nested: true, classOrder: 'assumed' })).not.toThrow();
});
