import fc from 'fast-check';
import { isDuration, permutation, randomStream, stepsIn } from '../../src/index';

const draw = (stream: ReturnType<typeof randomStream>, count: number) =>
  Array.from({ length: count }, () => stream.uniform());

describe('a random stream', () => {
  it('is named by its seed and labels, and by nothing else', () => {
    const alone = draw(randomStream(1, 'order', 2), 5);
    const [a, b] = [randomStream(1, 'order', 2), randomStream(1, 'order', 3)];
    const interleaved = Array.from({ length: 5 }, () => [a.uniform(), b.uniform()]);
    expect(interleaved.map(([first]) => first)).toEqual(alone);
    for (const other of [
      randomStream(1, 'order', 3),
      randomStream(2, 'order', 2),
      randomStream(1, 'mask', 2),
    ]) {
      expect(draw(other, 5)).not.toEqual(alone);
    }
  });

  it('has the moments of its distributions', () => {
    const stream = randomStream(5, 'moments');
    const count = 20_000;
    const normals = Array.from({ length: count }, () => stream.normal());
    const mean = normals.reduce((sum, value) => sum + value, 0) / count;
    const variance = normals.reduce((sum, value) => sum + value * value, 0) / count;
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(Math.abs(variance - 1)).toBeLessThan(0.05);
    const counts = [0, 0, 0];
    for (let i = 0; i < 3000; i++) {
      const drawn = stream.integer(3);
      counts[drawn] = (counts[drawn] ?? Number.NaN) + 1;
    }
    for (const each of counts) expect(Math.abs(each - 1000)).toBeLessThan(120);
  });
});

describe('permutation', () => {
  it('holds every index once', () => {
    fc.assert(
      fc.property(fc.nat(60), fc.nat(), (size, seed) => {
        const order = permutation(size, randomStream(seed, 'order'));
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: size }, (_, index) => index));
      }),
    );
  });

  it('favours no order', () => {
    const seen = new Map<string, number>();
    for (let seed = 0; seed < 3000; seed++) {
      const order = permutation(3, randomStream(seed, 'order')).join('');
      seen.set(order, (seen.get(order) ?? 0) + 1);
    }
    expect(seen.size).toBe(6);
    for (const count of seen.values()) expect(Math.abs(count - 500)).toBeLessThan(100);
  });
});

describe('durations', () => {
  it.each([
    ['3ep', 30],
    ['0.5ep', 5],
    ['1.26ep', 13],
    ['200it', 200],
    ['0it', 0],
  ])('%s is %d steps of 10 an epoch', (text, steps) => {
    if (!isDuration(text)) throw new Error(`${text} is not taken as a duration`);
    expect(stepsIn(text, 10)).toBe(steps);
  });

  it.each(['', '3', 'ep', '-1ep', '1.5it', '3 ep', '3epochs', '1e3it', 'NaNep'])('%p is none', (text) => {
    expect(isDuration(text)).toBe(false);
    expect(() => stepsIn(text as '1ep', 10)).toThrow(/expected a duration like 3ep or 200it/);
  });
});
