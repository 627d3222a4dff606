import { randomStream } from '@winnow/core';
import fc from 'fast-check';
import { type RegionReader, openHiddenDataset, openQuestionDataset } from '../src/index';
import { drawnObjective, hideRegions, hideWords } from '../src/regions/hidden-parts';

const tokens = { maskToken: 50, endToken: 2, vocabulary: 50 };

test('words are hidden between the first token and the end alone, at least one, and can be found again', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 3, max: 49 }), { minLength: 1, maxLength: 12 }),
      fc.nat(1000),
      (words, seed) => {
        const text = [1, ...words, tokens.endToken, tokens.endToken];
        const changed = Int32Array.from(text);
        const hidden = hideWords(changed, tokens, randomStream(seed, 'hide'));
        expect(hidden.some((word) => word >= 0)).toBe(true);
        expect([...changed].map((token, place) => (hidden[place] === -1 ? token : hidden[place]))).toEqual(
          text,
        );
        expect([hidden[0], ...hidden.slice(words.length + 1)]).toEqual([-1, -1, -1]);
        expect(changed.indexOf(tokens.endToken)).toBe(words.length + 1);
      },
    ),
    { numRuns: 100 },
  );
});

test('of many words 15 % are hidden, 80 % of them by the token for it, and one in ten stays', () => {
  const [hidden, masked, kept] = [0, 0, 0].map(() => ({ count: 0 }));
  const length = 40;
  for (let seed = 0; seed < 300; seed++) {
    const text = Int32Array.from({ length }, (_, place) => (place === length - 1 ? 2 : 3 + (place % 40)));
    const before = Int32Array.from(text);
    hideWords(text, tokens, randomStream(seed, 'many')).forEach((word, place) => {
      if (word < 0 || hidden === undefined || masked === undefined || kept === undefined) return;
      hidden.count++;
      if (text[place] === tokens.maskToken) masked.count++;
      if (text[place] === before[place]) kept.count++;
    });
  }
  const all = 300 * (length - 2);
  expect((hidden?.count ?? 0) / all).toBeCloseTo(0.15, 1);
  expect((masked?.count ?? 0) / (hidden?.count ?? 0)).toBeCloseTo(0.8, 1);
  expect((kept?.count ?? 0) / (hidden?.count ?? 0)).toBeCloseTo(0.12, 1); // a word in fifty is drawn again
});

test('regions are hidden where there are some, and objectives are drawn 2 : 2 : 1, with classes : 1', () => {
  const real = Float32Array.of(1, 1, 0, 1, 0, 0);
  for (let seed = 0; seed < 40; seed++) {
    const hidden = hideRegions({ count: 3, real }, 1, randomStream(seed, 'regions'));
    expect([...hidden]).toEqual([1, 0, 0]);
  }
  for (const all of [5, 6]) {
    const counts: Record<string, number> = {};
    for (let seed = 0; seed < 2000; seed++) {
      const objective = drawnObjective(randomStream(seed, 'objective'), all === 6);
      counts[objective] = (counts[objective] ?? 0) + 1 / 2000;
    }
    expect(counts['matching']).toBeCloseTo(2 / all, 1);
    expect(counts['words']).toBeCloseTo(2 / all, 1);
    expect(counts['regions']).toBeCloseTo(1 / all, 1);
    expect(counts['classes'] ?? 0).toBeCloseTo(all === 6 ? 1 / 6 : 0, 1);
  }
});

test('questions are drawn as often as matching, where there are some, and change nothing where there are none', () => {
  const counts: Record<string, number> = {};
  for (let seed = 0; seed < 3000; seed++) {
    const objective = drawnObjective(randomStream(seed, 'objective'), true, true);
    counts[objective] = (counts[objective] ?? 0) + 1 / 3000;
    const without = drawnObjective(randomStream(seed, 'objective'), true, false);
    expect(without).toBe(drawnObjective(randomStream(seed, 'objective'), true));
    expect(without).not.toBe('answers');
  }
  for (const [objective, share] of Object.entries({
    matching: 2,
    words: 2,
    regions: 1,
    classes: 1,
    answers: 2,
  }))
    expect(counts[objective]).toBeCloseTo(share / 8, 1);
});

const ones: RegionReader = {
  features: 1,
  digest: 'ones',
  lend: (use) => use((_, boxes) => Promise.resolve(new Float32Array(boxes.flat().length).fill(1))),
};

test('questions stand in the place of captions with their answers, of the same scenes as the data of questions', async () => {
  const small = { imageSize: 8 } as const;
  const regions = { rule: 'true', seed: 0, reader: ones } as const;
  const data = await openHiddenDataset('scenes-captions-tiny', small, { ...regions, asksQuestions: true });
  const asked = await openQuestionDataset('scenes-questions-tiny', small);
  const names = asked.kinds.flatMap(({ name, answers }) => answers.map((answer) => `${name} ${answer}`));
  expect(data.answers).toBe(names.length);
  const known = new Map<string, Set<string>>();
  for (let index = 0; index < asked.train.size; index++) {
    const { types, answers } = await asked.train.batch([index]);
    const { name = '', answers: own = [] } = asked.kinds[types[0] ?? -1] ?? {};
    const text = asked.texts.train[index] ?? '';
    const tokens = data.tokenizer.encode(text, 77).join();
    known.set(tokens, new Set([...(known.get(tokens) ?? []), `${name} ${own[answers[0] ?? -1] ?? ''}`]));
  }
  const indices = Array.from({ length: 120 }, (_, index) => index);
  const batch = await data.train.batch(indices, { seed: 1, epoch: 0 });
  const length = batch.tokens.length / 120;
  const { count } = batch.regions;
  const questions = indices.filter((example) => (batch.answers?.[example] ?? -1) >= 0);
  expect(questions.length).toBeGreaterThan(15);
  for (const example of questions) {
    const text = batch.tokens.subarray(example * length, (example + 1) * length);
    const own = [...text.subarray(0, text.indexOf(data.endToken) + 1)].join();
    expect([...(known.get(own) ?? [])]).toContain(names[batch.answers?.[example] ?? -1]);
    expect(batch.matches[example]).toBe(-1);
    expect(
      batch.hiddenWords.subarray(example * length, (example + 1) * length).every((word) => word === -1),
    ).toBe(true);
    expect(batch.hiddenRegions.subarray(example * count, (example + 1) * count)).not.toContain(1);
  }
  expect(await data.train.batch(indices, { seed: 1, epoch: 0 })).toEqual(batch);
  // No question is cut.
  const longest = asked.texts.train.map((text) => data.tokenizer.encode(text, 77).length);
  expect(data.context).toBeGreaterThanOrEqual(Math.max(...longest));

  const plain = await openHiddenDataset('scenes-captions-tiny', small, regions);
  expect([plain.answers, (await plain.train.batch([0])).answers]).toEqual([undefined, undefined]);
});

test('captions of scenes for pre-training: each example is asked one thing, by seed and epoch', async () => {
  const data = await openHiddenDataset(
    'scenes-captions-tiny',
    { imageSize: 8 },
    { rule: 'true', seed: 0, reader: ones },
  );
  expect(data.maskToken).toBe(data.vocabulary);
  expect(data.classes).toBe(61); // 60 things, and nothing in particular
  const indices = Array.from({ length: 60 }, (_, index) => index);
  const batch = await data.train.batch(indices, { seed: 1, epoch: 0 });
  const length = batch.tokens.length / 60;
  const { count } = batch.regions;
  for (const example of indices) {
    const words = batch.hiddenWords.subarray(example * length, (example + 1) * length);
    const regions = batch.hiddenRegions.subarray(example * count, (example + 1) * count);
    const asked = [words.some((word) => word >= 0), regions.includes(1), batch.matches[example] !== -1];
    expect(asked.filter((is) => is)).toEqual([true]);
    const classes = batch.hiddenClasses?.subarray(example * count, (example + 1) * count) ?? [];
    // Of true boxes every one is a thing, and only hidden ones are asked for it, all of an example or none.
    const ofHidden = [...classes].filter((_, region) => regions[region] === 1);
    expect([...classes].filter((_, region) => regions[region] === 0).every((own) => own === -1)).toBe(true);
    expect(ofHidden.every((own) => own === -1) || ofHidden.every((own) => own > 0 && own < 61)).toBe(true);
  }
  expect(batch.hiddenClasses?.some((own) => own > 0)).toBe(true);
  expect(new Set(batch.matches)).toEqual(new Set([-1, 0, 1]));
  const again = await data.train.batch(indices, { seed: 1, epoch: 0 });
  expect(again).toEqual(batch);
  const later = await data.train.batch(indices, { seed: 1, epoch: 1 });
  expect(later.matches).not.toEqual(batch.matches);
  const [one, other] = [await data.test.batch([3, 4]), await data.test.batch([4, 3])];
  expect([...one.matches]).toEqual([...other.matches].reverse());
});
