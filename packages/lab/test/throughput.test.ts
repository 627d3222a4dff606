import { throughput } from '../src/progress/throughput';

test('throughput leaves out what happens between the steps', () => {
  let nowMs = 0;
  const rate = throughput(() => nowMs);
  nowMs = 1000;
  expect(rate.step(50)).toBeCloseTo(50);
  nowMs = 60_000;
  rate.start();
  nowMs = 61_000;
  expect(rate.step(50)).toBeCloseTo(50);
});
