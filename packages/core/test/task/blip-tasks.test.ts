import { type Tensor, memory, tidy, valueAndGrads } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {
  type AnswerBatch,
  type BlipParams,
  type BlipPurpose,
  type PairBatch,
  type StatementBatch,
  type Task,
  answers,
  blip,
  captions,
  disposeTree,
  evaluate,
  initialize,
  leavesOf,
  mapTree,
  matching,
  randomStream,
  statements,
  tidyTree,
  withLeaves,
} from '../../src/index';
import { hardNegatives } from '../../src/task/hard-negatives';
import { type Compared, matchingScorer } from '../../src/task/matching-scorer';
import { nextWords } from '../../src/task/next-words';
import { describeOnEveryEngine } from '../engine/every-engine';
import { END, START, smallBlip } from '../model/small-blip';

const shape = { imageSize: 8, channels: 3 };
const random = randomStream(4, 'pictures');
const pictures = (count: number) => Float32Array.from({ length: count * 8 * 8 * 3 }, () => random.normal());

/** Three pictures of two groups and one of a third, with texts of different lengths in another order. */
const pairs: PairBatch = {
  size: 3,
  images: pictures(3),
  imageGroups: Int32Array.of(5, 6, 7),
  texts: 4,
  tokens: Int32Array.of(
    ...[START, 1, 2, END],
    ...[START, 3, END, END],
    ...[START, 4, 5, END],
    ...[START, 6, 7, END],
  ),
  textGroups: Int32Array.of(6, 5, 7, 7),
};
const judged: StatementBatch = {
  size: 2,
  images: pictures(4),
  texts: 2,
  tokens: Int32Array.of(...[START, 1, 2, END], ...[START, 3, END, END]),
  labels: Int32Array.of(1, 0),
};
const asked: AnswerBatch = {
  size: 2,
  images: pictures(2),
  texts: 2,
  tokens: judged.tokens,
  answers: Int32Array.of(...[0, 3, END, END], ...[0, 4, 5, END]),
  given: [['red'], ['blue cat', 'blue cat']],
  types: Int32Array.of(0, 1),
};
const say = (tokens: readonly number[]) => tokens.map((token) => `w${token}`).join(' ');

const modelOf = (purpose: BlipPurpose) => blip(smallBlip(purpose));
const answering = () =>
  answers(modelOf('questions'), {
    ...shape,
    types: ['colour', 'object'],
    candidates: 2,
    answers: [
      { text: 'red', tokens: Int32Array.of(0, 3, END) },
      { text: 'blue cat', tokens: Int32Array.of(0, 4, 5, END) },
      { text: 'dog', tokens: Int32Array.of(0, 6, END) },
    ],
  });
const tasks: readonly [BlipPurpose, () => Task<BlipParams>, unknown][] = [
  ['captions', () => captions(modelOf('captions'), { ...shape, say }), pairs],
  ['statements', () => statements(modelOf('statements'), { ...shape, endToken: END }), judged],
  ['questions', answering, asked],
  ['retrieval', () => matching(modelOf('retrieval'), { ...shape, candidates: 2 }), pairs],
];

describeOnEveryEngine('tasks of a BLIP', () => {
  it.each(tasks)(
    '%s: every parameter has a gradient, learning lowers the loss, and scores come',
    async (purpose, make, batch) => {
      const task = make();
      const before = memory().numTensors;
      let params = initialize<BlipParams>(modelOf(purpose).specs, 2);
      const loss = (own: BlipParams) => task.loss(task.predict(own, batch), batch);
      const losses: number[] = [];
      for (let step = 0; step < 4; step++) {
        const next = tidyTree(() => {
          const { value, grads } = valueAndGrads((...leaves: Tensor[]) => loss(withLeaves(params, leaves)))(
            leavesOf(params),
          );
          losses.push(value.dataSync()[0] ?? NaN);
          expect(grads).toHaveLength(leavesOf(params).length);
          let place = 0;
          return mapTree(params, (leaf) => leaf.sub(grads[place++]?.mul(0.002) ?? NaN));
        });
        disposeTree(params);
        params = next;
      }
      expect(losses.at(-1)).toBeLessThan(losses[0] ?? NaN);
      tidy(() => {
        const one = task.predict(params, batch);
        expect(task.divergence(one, one, batch).dataSync()[0]).toBeCloseTo(0, 5);
        expect(Number.isFinite(task.distillation(one, one, batch).dataSync()[0])).toBe(true);
      });
      const scores = await evaluate(task, params, one(batch));
      expect(Object.keys(scores)).toContain(task.metric);
      for (const [name, score] of Object.entries(scores))
        expect(score >= 0 && score <= (name === 'ciderD' ? 1000 : 100) + 1e-6).toBe(true);
      disposeTree(params);
      expect(memory().numTensors).toBe(before);
    },
  );

  it('a batch of answers or statements in parts has the mean of their losses', () => {
    for (const [purpose, make, batch] of tasks.slice(1, 3)) {
      const task = make();
      const params = initialize<BlipParams>(modelOf(purpose).specs, 2);
      const lossOf = (own: unknown) =>
        tidy(() => task.loss(task.predict(params, own), own).dataSync()[0] ?? NaN);
      const parts = [0, 1].map((from) => lossOf(task.slice?.(batch, from, from + 1)));
      expect(lossOf(batch)).toBeCloseTo(((parts[0] ?? NaN) + (parts[1] ?? NaN)) / 2, 4);
      disposeTree(params);
    }
  });

  it('the answer is the one that is likeliest word by word', async () => {
    const task = answering();
    const params = initialize<BlipParams>(modelOf('questions').specs, 5);
    const chosen = await task.answer?.(params, asked);
    const known: [string, number[]][] = [
      ['red', [0, 3, END, END]],
      ['blue cat', [0, 4, 5, END]],
      ['dog', [0, 6, END, END]],
    ];
    // What any loss says of each answer, without smoothing: the sum of the surprises of its words.
    const surprise = known.map(([, tokens]) =>
      tidy(() => {
        const { logits } = task.predict(params, { ...asked, answers: Int32Array.of(...tokens, ...tokens) });
        const values = logits.logSoftmax().dataSync();
        const words = tokens.indexOf(END);
        return [0, 1].map((row) =>
          tokens
            .slice(1, words + 1)
            .reduce((sum, word, place) => sum - (values[(row * 4 + place) * 11 + word] ?? NaN), 0),
        );
      }),
    );
    const firsts = known.map(([, [, first = 0]]) => first);
    const values = tidy(() => task.predict(params, asked).logits.logSoftmax().dataSync().slice());
    chosen?.forEach((text, row) => {
      // Of the two whose first word is likeliest.
      const order = [0, 1, 2].sort(
        (one, other) =>
          (values[row * 4 * 11 + (firsts[other] ?? 0)] ?? NaN) -
          (values[row * 4 * 11 + (firsts[one] ?? 0)] ?? NaN),
      );
      const [first = 0, second = 0] = order;
      const best = (surprise[first]?.[row] ?? NaN) <= (surprise[second]?.[row] ?? NaN) ? first : second;
      expect(text).toBe(known[best]?.[0]);
    });
    disposeTree(params);
  });
});

async function* one(batch: unknown): AsyncGenerator<unknown> {
  yield await Promise.resolve(batch);
}

test('words are learned up to the end of each text, and given ones are not', () => {
  const texts = Int32Array.of(...[START, 1, 2, END, END], ...[START, END, END, END, END]);
  expect(nextWords(texts, 5, END)).toEqual({
    rows: Int32Array.of(0, 1, 2, 5),
    words: Int32Array.of(1, 2, END, END),
  });
  expect(nextWords(texts, 5, END, 1)).toEqual({ rows: Int32Array.of(1, 2), words: Int32Array.of(2, END) });
});

const groups = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 6 });

test('a hard negative is never of the own group, and the likest ones are drawn most', () => {
  fc.assert(
    fc.property(groups, fc.integer({ min: 0, max: 1e6 }), (textGroups, seed) => {
      const imageGroups = Int32Array.from(new Set(textGroups));
      const stream = randomStream(seed, 'logits');
      const logits = Float32Array.from(
        { length: imageGroups.length * textGroups.length },
        () => 4 * stream.normal(),
      );
      const own = Int32Array.from(textGroups);
      const drawn = hardNegatives(logits, { imageGroups, textGroups: own });
      if (imageGroups.length === 1) {
        expect(drawn).toBeUndefined();
        return;
      }
      drawn?.pictures.forEach((picture, text) => expect(imageGroups[picture]).not.toBe(own[text]));
      drawn?.texts.forEach((other, text) => expect(own[other]).not.toBe(own[text]));
      expect(hardNegatives(logits, { imageGroups, textGroups: own })).toEqual(drawn);
    }),
  );
  const three = { imageGroups: Int32Array.of(0, 1, 2), textGroups: Int32Array.of(0, 1, 2) };
  const sure = Float32Array.of(...[9, 50, 0], ...[50, 9, 0], ...[0, 20, 9]);
  expect(hardNegatives(sure, three)).toEqual({ pictures: [1, 0, expect.any(Number)], texts: [1, 0, 1] });
});

test('the closest are ranked by cosine plus matching, and the others come behind', async () => {
  const scorer = matchingScorer(2);
  const unit = (angle: number) => Float32Array.of(Math.cos(angle), Math.sin(angle));
  const batch = {
    ...pairs,
    imageGroups: Int32Array.of(0, 1, 2),
    textGroups: Int32Array.of(0, 1, 2),
  };
  const answer: Compared = {
    // Of each, what stands next to it is closest; a reader finds the right one, where it is among the two that it gets.
    images: [unit(0), unit(1), unit(2)],
    texts: [unit(0.9), unit(0.2), unit(2 + Math.PI)],
    seen: [0, 1, 2].map((place) => Float32Array.of(place)),
    tokens: [0, 1, 2].map((place) => Int32Array.of(place)),
    match: (seen, read) =>
      Promise.resolve(Float32Array.from(seen, ([picture], place) => (picture === read[place]?.[0] ? 3 : -3))),
  };
  await scorer.add(answer, batch);
  const { textR1, imageR1, textR5 } = await scorer.scores();
  // The text of the third picture points away from everything: nobody reads it.
  expect(textR1).toBeCloseTo((100 * 2) / 3, 5);
  expect(imageR1).toBeCloseTo((100 * 2) / 3, 5);
  expect(textR5).toBe(100);
});
