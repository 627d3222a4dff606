import fc from 'fast-check';
import { normalAnswer, vqaScore } from '../../src/index';

test.each([
  ['The dog.', 'dog'],
  ['Two', '2'],
  ['none', '0'],
  ['zero', '0'],
  ['ten', '10'],
  ['a  red\tapple', 'red apple'],
  ['dont', "don't"],
  ['Yes!', 'yes'],
  ['1,000', '1000'],
  ['left/right', 'left right'],
  ['3.5', '3.5'],
  ['u.s.', 'us'],
  ['black, white', 'black white'],
])('%j is compared as %j', (answer, normal) => {
  expect(normalAnswer(answer)).toBe(normal);
});

test('three people who agree are enough, and each is left out in turn', () => {
  const given = (same: number) => [...Array<string>(same).fill('Two'), ...Array<string>(10 - same).fill('3')];
  expect(vqaScore('2', given(10))).toBe(1);
  expect(vqaScore('2', given(4))).toBe(1);
  expect(vqaScore('2', given(3))).toBeCloseTo(0.9, 9);
  expect(vqaScore('2', given(2))).toBeCloseTo(0.6, 9);
  expect(vqaScore('2', given(1))).toBeCloseTo(0.3, 9);
  expect(vqaScore('2', given(0))).toBe(0);
  expect(vqaScore('the two', ['2'])).toBe(1);
  expect(() => vqaScore('2', [])).toThrow('expected answers that people gave, got none');
});

test('the score is the mean over all ways to leave one out, by the definition', () => {
  const answers = fc.array(fc.constantFrom('yes', 'no', 'Maybe'), { minLength: 2, maxLength: 10 });
  fc.assert(
    fc.property(answers, fc.constantFrom('Yes.', 'no', 'other'), (given, answer) => {
      const each = given.map((_, left) => {
        const others = given.filter((_, index) => index !== left);
        return Math.min(1, others.filter((other) => normalAnswer(other) === normalAnswer(answer)).length / 3);
      });
      expect(vqaScore(answer, given)).toBeCloseTo(each.reduce((sum, one) => sum + one, 0) / given.length, 9);
    }),
  );
});
