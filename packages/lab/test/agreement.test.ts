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
  const { verdict } = checkOf(differing, pictures, precision);
  expect(verdict).toBe('holds');
});

test.each<[number, number, OnnxPrecision]>([
  [1, 1, 'f32'],
  [1, 8, 'f32'],
  [3, 200, 'f32'],
  [7, 200, 'f16'],
  [2, 8, 'int8'],
  [21, 200, 'int8'],
])('%d of %d pictures otherwise in %s are too many', (differing, pictures, precision) => {
  expect(checkOf(differing, pictures, precision)).toMatchObject({ verdict: 'fails' });
});
