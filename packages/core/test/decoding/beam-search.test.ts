import fc from 'fast-check';
import { type BeamOptions, type BeamSearch, beginSearch, bestWords, searchStep } from '../../src/index';

const WORDS = 5;
const END = 4;

/** Log-likelihoods of the next word that depend on all words before it, drawn from a seed. */
function likelihoods(seed: number, tokens: readonly number[]): number[] {
  let state = tokens.reduce((hash, token) => (Math.imul(hash, 31) + token + 7) | 0, seed);
  const raw = Array.from({ length: WORDS }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
    return ((state >>> 8) % 1000) / 250;
  });
  const total = Math.log(raw.reduce((sum, logit) => sum + Math.exp(logit), 0));
  return raw.map((logit) => logit - total);
}

function search(seed: number, options: BeamOptions, begin = [0]): BeamSearch {
  let found = beginSearch(begin, options);
  while (!found.isOver) {
    const rows = Float32Array.from(found.open.flatMap(({ tokens }) => likelihoods(seed, tokens)));
    found = searchStep(found, rows, begin.length, options).search;
  }
  return found;
}

/** The likeliest word each time. */
function greedy(seed: number, longest: number, shortest = 0): number[] {
  const tokens = [0];
  while (tokens.length < longest && (tokens.length === 1 || tokens.at(-1) !== END)) {
    const next = likelihoods(seed, tokens).map((value, token) =>
      token === END && tokens.length < shortest ? -Infinity : value,
    );
    tokens.push(next.indexOf(Math.max(...next)));
  }
  return tokens;
}

/** The mean log-likelihood of what is written. */
function meanOf(seed: number, tokens: readonly number[], length: BeamOptions['length']): number {
  const sum = tokens
    .slice(1)
    .reduce((total, token, place) => total + (likelihoods(seed, tokens.slice(0, place + 1))[token] ?? 0), 0);
  return sum / (length === 'whole' ? tokens.length : tokens.length - 1);
}

const seeds = fc.integer({ min: 0, max: 1e6 });
const lengths = fc.constantFrom<BeamOptions['length']>('whole', 'written');

test('one beam takes the likeliest word each time', () => {
  fc.assert(
    fc.property(
      seeds,
      lengths,
      fc.integer({ min: 2, max: 7 }),
      fc.integer({ min: 0, max: 4 }),
      (seed, length, longest, shortest) => {
        const found = search(seed, { beams: 1, longest, shortest, end: END, length });
        expect(found.written[0]?.tokens).toEqual(greedy(seed, longest, shortest));
      },
    ),
  );
});

test('what is written is scored by its own words, no text twice, and the best is found where all are followed', () => {
  fc.assert(
    fc.property(seeds, lengths, (seed, length) => {
      const longest = 4;
      const options: BeamOptions = { beams: 30, longest, end: END, length };
      const { written } = search(seed, options);
      const texts = written.map(({ tokens }) => tokens.join());
      expect(new Set(texts).size).toBe(texts.length);
      for (const { tokens, score } of written) {
        expect(score).toBeCloseTo(meanOf(seed, tokens, length), 4);
        expect(tokens.length === longest || tokens.at(-1) === END).toBe(true);
      }
      // With room for every text that there is, the pool holds the best of all of them that the search did not end before.
      const best = Math.max(...written.map(({ score }) => score));
      expect(written[0]?.score).toBe(best);
      expect(best).toBeGreaterThanOrEqual(meanOf(seed, greedy(seed, longest), length) - 1e-6);
    }),
  );
});

test('three beams find no worse a text than one, on these', () => {
  for (let seed = 0; seed < 50; seed++) {
    const options = { longest: 6, end: END, length: 'written' } as const;
    const [one, three] = [search(seed, { ...options, beams: 1 }), search(seed, { ...options, beams: 3 })];
    expect(three.written[0]?.score).toBeGreaterThanOrEqual((one.written[0]?.score ?? 0) - 1e-6);
  }
});

test('an end is not written before the shortest text, and the words leave it out', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const options: BeamOptions = { beams: 3, longest: 8, shortest: 4, end: END, length: 'whole' };
      const found = search(seed, options, [0, 1]);
      for (const { tokens } of found.written)
        expect(tokens.indexOf(END) === -1 || tokens.indexOf(END) >= 4).toBe(true);
      const words = bestWords(found, 2, END);
      expect(words).not.toContain(END);
      expect(found.written[0]?.tokens.slice(2, 2 + words.length)).toEqual(words);
    }),
  );
});
