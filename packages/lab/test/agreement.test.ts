import type { OnnxPrecision } from '../src/onnx/precision';
import { checkAgreement } from '../src/proof/check-answers';

/** Logits of two classes, [N, 2]: the first wins. */
const logits = (pictures: number) => Float32Array.from({ length: 2 * pictures }, (_, at) => 1 - (at % 2));

/** The check of a file that says another class for some of so many pictures. */
function checkOf(differing: number, pictures: number, precision: OnnxPrecision) {
  const own = logits(pictures);
  for (let picture = 0; picture < differing; picture++) own.set([0, 1], 2 * picture);
  const known = { classes: 2, pictures, precision, examples: 'pictures', told: 'class' } as const;
  return checkAgreement(own, logits(pictures), known).check;
}

test.each<[number, number, OnnxPrecision]>([
  [0, 1, 'f32'],
  [0, 200, 'f32'],
  [2, 200, 'f32'],
  [6, 200, 'f16'],
  [20, 200, 'int8'],
])('%d of %d pictures otherwise in %s are as many as may be', (differing, pictures, precision) => {
  const { verdict, says } = checkOf(differing, pictures, precision);
  expect(verdict).toBe('holds');
  expect(says.join()).not.toContain('cannot decide');
});

test.each<[number, number, OnnxPrecision]>([
  [1, 1, 'f32'],
  [1, 8, 'f32'],
  [6, 200, 'f32'],
  [12, 200, 'f16'],
  [3, 8, 'int8'],
  [32, 200, 'int8'],
])('%d of %d pictures otherwise in %s are more than chance explains', (differing, pictures, precision) => {
  expect(checkOf(differing, pictures, precision)).toMatchObject({ verdict: 'fails' });
});

test('a share that is a little too small among few pictures holds, and says that they cannot decide', () => {
  const { verdict, says } = checkOf(2, 8, 'int8');
  expect(verdict).toBe('holds');
  expect(says[0]).toContain('6 of 8 pictures');
  expect(says[0]).toContain('90.0 % is the least, which so few cannot decide: see more (--pictures)');
});
