import fc from 'fast-check';
import { thinned } from '../src/index';

test('small answers stay whole', () => {
  fc.assert(
    fc.property(fc.array(fc.float({ noNaN: true }), { minLength: 2, maxLength: 20 }), (values) => {
      const answers = { logits: Float32Array.from([...values, ...values]) };
      expect(thinned(answers, 2)).toEqual(answers);
    }),
  );
});

test('of large ones each example keeps numbers of its own, from beginning to end', () => {
  const size = 3 * 2 ** 20;
  const { logits } = thinned({ logits: Float32Array.from({ length: 2 * size }, (_, at) => at) }, 2);
  if (logits === undefined) throw new Error('expected logits');
  const each = logits.length / 2;
  expect(each).toBeLessThanOrEqual(2 ** 20);
  for (const example of [0, 1]) {
    const own = logits.subarray(example * each, (example + 1) * each);
    expect([own[0], own[1]]).toEqual([example * size, example * size + 3]);
    expect(own.at(-1)).toBeGreaterThan((example + 1) * size - 4);
  }
});
