import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makePictures } from '@winnow/testkit';
import { likeliest } from '@winnow/core';
import fc from 'fast-check';
import {
  type Predictions,
  compress,
  evaluateModel,
  predictPictures,
  train,
  writePredictions,
} from '../src/index';

const root = await mkdtemp(join(tmpdir(), 'winnow-predict-'));
const at = (...path: string[]) => join(root, ...path);
const ENGINE = { engine: 'wasm' } as const;
const TINY = { ...ENGINE, batchSize: 4, evaluateEvery: '0it', seed: 3 } as const;
const SHAPE = { imageSize: 16, patchSize: 8 } as const;

beforeAll(async () => {
  await makePictures(at('pictures'), { train: 4, validation: 2, test: 3 });
  const rows = ['train', 'validation', 'test'].flatMap((split) =>
    ['red', 'blue'].flatMap((colour) =>
      readdirSync(at('pictures', split, colour)).map(
        (file) => `pictures/${split}/${colour}/${file},a ${colour} picture,${split}`,
      ),
    ),
  );
  writeFileSync(at('captions.csv'), ['image,caption,split', ...rows].join('\n'));
  await train({ data: at('pictures'), ...TINY, ...SHAPE, duration: '6it', out: at('dense') });
  await train({
    ...{ task: 'retrieval', data: at('captions.csv'), ...TINY, ...SHAPE },
    ...{ duration: '4it', out: at('pairs') },
  });
  await compress({
    ...{ from: at('dense'), ...ENGINE, batchSize: 4, seed: 3, method: 'lottery-ticket', budget: '40%' },
    options: { round: '2it', originalFraction: 0.3, rewind: '1it' },
    ...{ retrain: '2it', out: at('masked') },
  });
  await compress({
    ...{ task: 'retrieval', from: at('pairs'), data: at('captions.csv'), ...ENGINE, batchSize: 4, seed: 3 },
    ...{ method: 'bwsp', budget: '60%', options: { blocks: 2, search: '4it', subset: 0.5 } },
    ...{ retrain: '2it', out: at('tied') },
  });
});
afterAll(() => rm(root, { recursive: true, force: true }));

const testPictures = [at('pictures', 'test')];
const probabilitiesOf = ({ predictions }: Predictions): Map<string, Map<string, number>> =>
  new Map(
    predictions.map(({ picture, best }) => [
      picture,
      new Map(best.map(({ name, probability }) => [name, probability])),
    ]),
  );

/** The scores of an evaluation, from probabilities alone: the right class is the folder of a picture. */
function scoresOf({ predictions }: Predictions): { loss: number; top1: number } {
  const right = predictions.map(({ picture, best }) => {
    const place = best.findIndex(({ name }) => picture.includes(`/${name}/`));
    return { loss: -Math.log(best[place]?.probability ?? Number.NaN), hit: place === 0 ? 1 : 0 };
  });
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return { loss: mean(right.map(({ loss }) => loss)), top1: 100 * mean(right.map(({ hit }) => hit)) };
}

describe.each([
  ['a classifier', 'dense', {}, {}],
  ['a classifier at another picture size', 'dense', { imageSize: 24 }, { imageSize: 24 }],
  ['a model with masks of single weights', 'masked', {}, {}],
  ['a dual encoder', 'pairs', { texts: 'blue|red' }, { zeroShot: '{}' }],
  ['a dual encoder whose towers share columns', 'tied', { texts: 'blue|red' }, { zeroShot: '{}' }],
])('%s', (_what, model, predicting, evaluating) => {
  test('predicts what an evaluation scores', async () => {
    const predicted = await predictPictures(at(model), testPictures, { ...ENGINE, ...predicting });
    const { scores, examples } = await evaluateModel(at(model), {
      ...{ data: at('pictures'), ...ENGINE },
      ...evaluating,
    });
    expect(predicted.predictions).toHaveLength(examples);
    const { loss, top1 } = scoresOf(predicted);
    expect(loss).toBeCloseTo(scores['loss'] ?? Number.NaN, 6);
    expect(top1).toBe(scores['top1']);
  });

  test('says the same of a picture, whatever else is in its batch', async () => {
    const options = { ...ENGINE, ...predicting };
    const whole = probabilitiesOf(await predictPictures(at(model), testPictures, options));
    const ofFew = await predictPictures(at(model), testPictures, { ...options, batchSize: 4 });
    const [alone = ''] = [...whole.keys()].slice(-1);
    const single = await predictPictures(at(model), [alone], { ...options, batchSize: 1 });
    for (const others of [probabilitiesOf(ofFew), probabilitiesOf(single)]) {
      for (const [picture, guesses] of others) {
        for (const [name, probability] of guesses)
          expect(probability).toBeCloseTo(whole.get(picture)?.get(name) ?? Number.NaN, 5);
      }
    }
  });
});

test('broken pictures are among the values, and the others are predicted', async () => {
  const [good = ''] = readdirSync(at('pictures', 'test', 'red')).map((name) =>
    at('pictures', 'test', 'red', name),
  );
  writeFileSync(at('cut.png'), readFileSync(good).subarray(0, 60));
  const pictures = [at('cut.png'), good, at('gone.png')];
  const { predictions, broken } = await predictPictures(at('dense'), pictures, { ...ENGINE, batchSize: 1 });
  expect(predictions.map(({ picture }) => picture)).toEqual([good]);
  expect(broken).toEqual([
    { picture: at('cut.png'), problem: expect.stringContaining('cut.png') },
    { picture: at('gone.png'), problem: expect.stringMatching(/gone\.png, but found nothing there/) },
  ]);
});

test('whoever wants it stopped is heard', async () => {
  const signal = AbortSignal.abort();
  await expect(predictPictures(at('dense'), testPictures, ENGINE, { signal })).rejects.toMatchObject({
    exitCode: 130,
  });
});

test('no picture is an error, and so are options that there are not', async () => {
  await expect(predictPictures(at('dense'), [], ENGINE)).rejects.toThrow('expected pictures, got none');
  await expect(predictPictures(at('dense'), testPictures, { ...ENGINE, topp: 1 })).rejects.toThrow(
    /did you mean top/,
  );
});

describe('the likeliest', () => {
  test('are the softmax of the logits, best first, of equal ones the first', () => {
    const best = likeliest([1, 3, 1, -2], ['a', 'b', 'c', 'd'], 3);
    const total = 2 * Math.exp(1) + Math.exp(3) + Math.exp(-2);
    expect(best.map(({ name, index }) => [name, index])).toEqual([
      ['b', 1],
      ['a', 0],
      ['c', 2],
    ]);
    expect(best[0]?.probability).toBeCloseTo(Math.exp(3) / total, 12);
    expect(best[1]?.probability).toBeCloseTo(Math.exp(1) / total, 12);
  });

  test('are the sigmoid of each logit where none excludes another', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -50, max: 50, noNaN: true }), { minLength: 1 }), (logits) => {
        const names = logits.map(String);
        const found = likeliest(logits, names, logits.length, 'independent');
        for (const { index, probability } of found) {
          const odds = Math.exp(logits[index] ?? Number.NaN);
          expect(probability).toBeCloseTo(odds / (1 + odds), 12);
        }
        expect(found[0]?.index).toBe(logits.indexOf(Math.max(...logits)));
      }),
    );
  });

  test('add up to 1 and are no more than there are, however large the logits', () => {
    const best = likeliest([1000, 999, -1000], ['a', 'b', 'c'], 5);
    expect(best).toHaveLength(3);
    expect(best.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 12);
    expect(best[0]?.probability).toBeCloseTo(1 / (1 + Math.exp(-1)), 12);
  });
});

test('a table for spreadsheets has a line for each guess, and no name is a formula there', async () => {
  const best = [{ name: '@SUM(A1)', index: 1, probability: 0.75 }];
  await writePredictions(at('out.csv'), {
    by: 'texts',
    predictions: [{ picture: '=1+1.png', best }],
    broken: [],
  });
  expect(readFileSync(at('out.csv'), 'utf8')).toBe(
    "picture,rank,text,index,probability\r\n'=1+1.png,1,'@SUM(A1),1,0.75\r\n",
  );
});

test('a table of boxes says where they are', async () => {
  const box = [0.125, 0.25, 0.5, 1] as const;
  const best = [{ name: 'a dog', index: 0, probability: 0.75, box, text: 'a dog', spans: [] }];
  await writePredictions(at('boxes.csv'), {
    by: 'boxes',
    predictions: [{ picture: 'a.png', best }],
    broken: [],
  });
  expect(readFileSync(at('boxes.csv'), 'utf8')).toBe(
    'picture,rank,phrase,index,probability,left,top,right,bottom\r\na.png,1,a dog,0,0.75,0.125,0.25,0.5,1\r\n',
  );
});
