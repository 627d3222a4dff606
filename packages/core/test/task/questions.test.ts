import { type Scalar, type Tensor, grad, mul, scalar, tensor2d, tidy } from '@tensorflow/tfjs-core';
import { startEngine } from '@winnow/engine';
import { questions } from '../../src/index';

beforeAll(async () => {
  await startEngine('wasm');
});

const task = questions({ forward: () => ({}) }, { imageSize: 2, channels: 1, types: ['binary', 'global'] });
const batch = {
  size: 3,
  images: new Float32Array(12),
  texts: 3,
  tokens: new Int32Array(3),
  types: Int32Array.of(0, 1, 1),
  answers: Int32Array.of(1, 2, 0),
};
const [type, binary, global] = [
  [2, 0, 0, 1, 3, 0],
  [0, 1, 5, 0, 5, 0],
  [9, 9, 9, 0, 0, 4, 1, 2, 3],
];

test('the loss is that of the types, and of each type the mean of its own questions', () => {
  const surprise = (logits: readonly number[], right: number) =>
    Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0)) - (logits[right] ?? Number.NaN);
  const ofTypes = (surprise([2, 0], 0) + surprise([0, 1], 1) + surprise([3, 0], 1)) / 3;
  const ofGlobal = (surprise([0, 0, 4], 2) + surprise([1, 2, 3], 0)) / 2;
  tidy(() => {
    const prediction = {
      type: tensor2d(type, [3, 2]),
      answer0: tensor2d(binary, [3, 2]),
      answer1: tensor2d(global, [3, 3]),
    };
    expect(task.loss(prediction, batch).dataSync()[0]).toBeCloseTo(
      ofTypes + surprise([0, 1], 1) + ofGlobal,
      5,
    );
    expect(task.divergence(prediction, prediction, batch).dataSync()[0]).toBeCloseTo(0, 6);
    const onlyBinary = { ...batch, types: Int32Array.of(0, 0, 0), answers: Int32Array.of(1, 0, 0) };
    expect(Number.isFinite(task.loss(prediction, onlyBinary).dataSync()[0])).toBe(true);
  });
});

test('an answer is right when its type is too, and a tie is no answer', async () => {
  const host = (values: readonly number[], rows: number) =>
    ({ dtype: 'float32', shape: [rows, values.length / rows], values: Float32Array.from(values) }) as const;
  const scored = async (ofTypes: readonly number[]) => {
    const scorer = task.scorer();
    await scorer.add({ type: host(ofTypes, 3), answer0: host(binary, 3), answer1: host(global, 3) }, batch);
    return scorer.scores();
  };
  // Right type and answer; right type and answer; wrong answer, its type wrong as well.
  expect(await scored(type)).toEqual({ accuracy: (100 * 2) / 3, binary: 100, global: 50 });
  expect(await scored([0, 0, 0, 0, 0, 0])).toEqual({ accuracy: 0, binary: 0, global: 0 });
});

test('an answer that nobody can give is wrong, even where none is chosen, and adds nothing to the loss', async () => {
  const host = (values: readonly number[], rows: number) =>
    ({ dtype: 'float32', shape: [rows, values.length / rows], values: Float32Array.from(values) }) as const;
  const unknown = { ...batch, answers: Int32Array.of(-1, -1, 0) };
  const scorer = task.scorer();
  const tied = binary.map(() => 0);
  await scorer.add({ type: host(type, 3), answer0: host(tied, 3), answer1: host(global, 3) }, unknown);
  expect((await scorer.scores())['accuracy']).toBe(0);
  tidy(() => {
    const said = (first: number) => ({
      type: tensor2d(type, [3, 2]),
      answer0: tensor2d([first, ...binary.slice(1)], [3, 2]),
      answer1: tensor2d(global, [3, 3]),
    });
    const [one, other] = [0, 7].map((first) => task.loss(said(first), unknown).dataSync()[0] ?? Number.NaN);
    expect(one).toBeCloseTo(other ?? Number.NaN, 6);
  });
});

test('a model that answers nothing is told so', () => {
  const asked = questions(
    { forward: () => ({ type: tensor2d([0, 0], [1, 2]) }) },
    { imageSize: 2, channels: 1, types: ['binary', 'global'] },
  );
  expect(() =>
    tidy(() => {
      asked.predict(
        {},
        { ...batch, size: 1, texts: 1, images: new Float32Array(4), tokens: new Int32Array(1) },
      );
    }),
  ).toThrow('expected a model that answers questions: it says no answer0');
});

test('logits of all answers say the type and the answer of each type, and their losses are those of all answers', () => {
  const own = questions(
    { forward: () => ({ logits: tensor2d([1, 2, 0, 5, 1], [1, 5]) }) },
    { imageSize: 2, channels: 1, types: ['binary', 'global'], answers: [2, 3] },
  );
  const one = { ...batch, size: 1, texts: 1, images: new Float32Array(4), tokens: new Int32Array(1) };
  const asked = { ...one, types: Int32Array.of(1), answers: Int32Array.of(1) };
  tidy(() => {
    const loss = own.loss(own.predict({}, asked), asked).dataSync()[0];
    const all = Math.log([1, 2, 0, 5, 1].reduce((sum, logit) => sum + Math.exp(logit), 0));
    expect(loss).toBeCloseTo(all - 5, 5);
  });
  const short = questions(
    { forward: () => ({ logits: tensor2d([1, 2], [1, 2]) }) },
    { imageSize: 2, channels: 1, types: ['binary', 'global'], answers: [2, 3] },
  );
  expect(() => tidy(() => short.predict({}, asked))).toThrow(/expected logits of 2 \+ 3 answers, got 2/);
});

test('what a model says beside its logits goes on, so that the parameters behind it have a slope, of nothing', () => {
  const own = questions<{ unread: Scalar }>(
    { forward: ({ unread }) => ({ logits: tensor2d([1, 2, 0, 5, 1], [1, 5]), states: mul(unread, 3) }) },
    { imageSize: 2, channels: 1, types: ['binary', 'global'], answers: [2, 3] },
  );
  const one = { ...batch, size: 1, texts: 1, images: new Float32Array(4), tokens: new Int32Array(1) };
  const asked = { ...one, types: Int32Array.of(1), answers: Int32Array.of(1) };
  tidy(() => {
    const slope = grad((unread: Tensor) =>
      own.loss(own.predict({ unread: unread.asScalar() }, asked), asked),
    );
    expect([...slope(scalar(2)).dataSync()]).toEqual([0]);
  });
});

test('questions of a single type are answered, too', () => {
  const own = questions(
    { forward: () => ({ logits: tensor2d([1, 2, 0], [1, 3]) }) },
    { imageSize: 2, channels: 1, types: ['binary'], answers: [3] },
  );
  const one = { ...batch, size: 1, texts: 1, images: new Float32Array(4), tokens: new Int32Array(1) };
  const asked = { ...one, types: Int32Array.of(0), answers: Int32Array.of(1) };
  tidy(() => {
    const loss = own.loss(own.predict({}, asked), asked).dataSync()[0];
    expect(loss).toBeCloseTo(Math.log(Math.exp(1) + Math.exp(2) + 1) - 2, 5);
  });
});
