import { comparisonOf, measuredByTurns } from '../src/page/measure';

test('rounds go by turns, the first ones are not counted, and medians are told', async () => {
  const order: string[] = [];
  const rounds: number[] = [];
  const run = (name: string, times: number[]) => () => {
    order.push(name);
    return Promise.resolve(times.shift() ?? 0);
  };
  const dense = run('dense', [900, 900, ...Array.from({ length: 9 }, (_, at) => 20 + at)]);
  const smaller = run('smaller', [900, 900, ...Array.from({ length: 9 }, () => 10)]);
  const { medians, says } = await measuredByTurns([dense, smaller], 9, (round) => {
    rounds.push(round);
    return Promise.resolve();
  });
  expect(order).toEqual(Array.from({ length: 22 }, (_, at) => (at % 2 === 0 ? 'dense' : 'smaller')));
  expect(rounds).toEqual([0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(medians).toEqual([24, 10]);
  expect(says).toBe('The smaller model is faster: 2.40× (95 %: 2.10 to 2.70, 9 rounds by turns).');
});

test('where chance alone explains the difference it is said to be none', () => {
  const alternating = Array.from({ length: 15 }, (_, at) => (at % 2 === 0 ? 9 : 11));
  const even = alternating.map(() => 10);
  expect(comparisonOf(alternating, even)).toMatch(/^No faster: /);
  expect(
    comparisonOf(
      even,
      even.map((ms) => 2 * ms),
    ),
  ).toMatch(/^The smaller model is slower: 0\.50×/);
});

test('one model alone is compared with nothing', async () => {
  const { medians, says } = await measuredByTurns([() => Promise.resolve(3)], 6, () => Promise.resolve());
  expect([medians, says]).toEqual([[3], '']);
});
