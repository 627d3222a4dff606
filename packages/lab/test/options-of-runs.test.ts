import { budgetOf } from '../src/options/budget';
import { hashOf } from '../src/options/hash';

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
