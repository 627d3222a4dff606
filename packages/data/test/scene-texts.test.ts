import {
  type ScenePool,
  type SceneSource,
  answersOf,
  captionsIn,
  deranged,
  expressionsIn,
  pluralsIn,
  priorAccuracy,
  questionsIn,
  scenePool,
  sceneSource,
  statementsIn,
  textOnlyAccuracy,
} from '../src/index';
import { randomStream } from '@winnow/core';
import fc from 'fast-check';
import { isTrue } from '../src/scenes/captions';
import { described, referents, said } from '../src/scenes/phrase';
import { answerTo, asked, dependsOnPicture } from '../src/scenes/questions';
import { isTrueOf, stated } from '../src/scenes/statements';
import type { SceneGraph, SceneObject } from '../src/index';

const SCENES = 120;
let source: SceneSource;
let pool: ScenePool;
beforeAll(async () => {
  source = await sceneSource();
  pool = scenePool(source, 'train', SCENES);
});
const sceneAt = (index: number): SceneGraph => {
  const scene = pool.scenes[index];
  if (scene === undefined) throw new RangeError('no such scene');
  return scene;
};

const object = (
  concept: string,
  group: SceneObject['group'],
  [x, y, half]: readonly [number, number, number],
  colour?: SceneObject['colour'],
): SceneObject => ({
  concept,
  group,
  colour,
  size: half > 15 ? 'large' : 'small',
  box: { left: x - half, top: y - half, right: x + half, bottom: y + half },
  centre: { x, y },
  visibleShare: 1,
  depth: 0,
});
const catLeft = object('cat', 'animal', [15, 20, 10]);
const catRight = object('cat', 'animal', [80, 20, 10]);
const dog = object('dog', 'animal', [50, 70, 18]);
const redKey = object('key', 'tool', [20, 60, 10], 'red');
const blueKey = object('key', 'tool', [85, 80, 10], 'blue');
const byHand: SceneGraph = { side: 96, objects: [catLeft, catRight, dog, redKey, blueKey] };
const cat = { noun: { kind: 'concept', name: 'cat' } } as const;
const key = { noun: { kind: 'concept', name: 'key' } } as const;

describe('the solver of phrases', () => {
  test.each([
    ['the cat left of the dog', { ...cat, relation: { word: 'left of', object: dogIs() } }, [catLeft]],
    ['the rightmost cat', { ...cat, rank: { kind: 'superlative', word: 'rightmost' } }, [catRight]],
    ['the red key', { ...key, colour: 'red' }, [redKey]],
    ['the second key from the top', { ...key, rank: { kind: 'ordinal', place: 1, from: 'top' } }, [blueKey]],
    ['the first cat from the top', { ...cat, rank: { kind: 'ordinal', place: 0, from: 'top' } }, []],
    [
      'the largest animal',
      { noun: { kind: 'group', name: 'animal' }, rank: { kind: 'superlative', word: 'largest' } },
      [dog],
    ],
    ['the key next to the dog', { ...key, relation: { word: 'next to', object: dogIs() } }, []],
    ['the cat above the key', { ...cat, relation: { word: 'above', object: key } }, []],
  ] as const)('%s', (text, phrase, expected) => {
    expect(said(phrase).text).toBe(text);
    expect(referents(byHand, phrase)).toEqual(expected);
  });

  function dogIs() {
    return { noun: { kind: 'concept', name: 'dog' } } as const;
  }
});

test('an expression means one object, in whatever order objects are listed, and something could be taken for it', () => {
  const expressions = expressionsIn(pool);
  expressions.forEach((own, index) => {
    const scene = sceneAt(index);
    for (const { text, phrase, span } of own) {
      const [meant, ...others] = span.objects.map((place) => scene.objects[place]);
      expect(others).toEqual([]);
      expect(referents(scene, phrase)).toEqual([meant]);
      expect(referents({ ...scene, objects: scene.objects.toReversed() }, phrase)).toEqual([meant]);
      expect(
        scene.objects.some(
          (other) => other !== meant && (other.group === meant?.group || other.concept === meant?.concept),
        ),
      ).toBe(true);
      expect(text.slice(span.start, span.end)).toMatch(/^the [a-z ]+$/);
      expect(said(phrase).text).toBe(text);
    }
  });
  const all = expressions.flat();
  expect(all.length).toBeGreaterThan(SCENES);
  expect(all.filter(({ needsMore }) => needsMore).length / all.length).toBeGreaterThanOrEqual(0.6);
});

test('plural phrases mean all objects of a concept', () => {
  const plurals = pluralsIn(pool);
  plurals.forEach((own, index) => {
    for (const { span, text } of own) {
      const concepts = new Set(span.objects.map((place) => sceneAt(index).objects[place]?.concept));
      expect(concepts.size).toBe(1);
      expect(span.objects.length).toBeGreaterThan(1);
      expect(text.startsWith('both') ? 2 : span.objects.length).toBe(span.objects.length);
    }
  });
  expect(plurals.flat().length).toBeGreaterThan(20);
});

test('five captions of a scene, true of it, whose words name the objects; most are true of no other scene', () => {
  const { captions, ambiguous } = captionsIn(pool);
  let shared = 0;
  captions.forEach((own, index) => {
    expect(own).toHaveLength(5);
    expect(new Set(own.map(({ text }) => text)).size).toBe(5);
    for (const { text, meaning, spans } of own) {
      expect(isTrue(sceneAt(index), meaning)).toBe(true);
      for (const { start, end, objects } of spans) {
        const concept = sceneAt(index).objects[objects[0] ?? -1]?.concept ?? '?';
        expect(text.slice(start, end)).toMatch(new RegExp(`^an? .*${concept}$`));
      }
      if (pool.scenes.some((scene, other) => other !== index && isTrue(scene, meaning))) shared++;
    }
  });
  expect(ambiguous).toBe(shared);
  expect(shared).toBeLessThan(0.1 * 5 * SCENES);
});

describe('questions', () => {
  test('a hand-made scene is answered as a person would', () => {
    const answers = [
      [{ kind: 'exist', of: cat }, 'yes'],
      [{ kind: 'exist', of: { ...key, colour: 'green' } }, 'no'],
      [
        { kind: 'compare', a: { noun: { kind: 'concept', name: 'dog' } }, b: { ...key, colour: 'red' } },
        'yes',
      ],
      [{ kind: 'colour', of: key }, undefined],
      [{ kind: 'leader', word: 'largest' }, 'dog'],
      [{ kind: 'which', relation: 'above', of: { noun: { kind: 'concept', name: 'dog' } } }, undefined],
      [{ kind: 'count', of: key }, '2'],
    ] as const;
    for (const [question, answer] of answers) expect(answerTo(byHand, question)).toBe(answer);
  });

  test('each depends on the picture, and its answer is one of its type', () => {
    for (const { scene, text, type, meaning, answer } of questionsIn(pool)) {
      expect(answerTo(sceneAt(scene), meaning)).toBe(answer);
      expect(asked(meaning)).toBe(text);
      expect(answersOf[type]).toContain(answer);
      expect(dependsOnPicture(sceneAt(scene), meaning)).toBe(true);
    }
  });

  test('yes and no are as frequent about every noun, and guessing from the text is right for at most 55 %', () => {
    const train = questionsIn(pool);
    const of = (answer: string) =>
      train.filter((question) => question.type === 'binary' && question.answer === answer).length;
    expect(of('yes')).toBe(of('no'));
    expect(of('yes')).toBeGreaterThan(10);
    const test_ = questionsIn(scenePool(source, 'validation', 60));
    expect(textOnlyAccuracy(train, test_)).toBeLessThanOrEqual(0.55);
    expect(priorAccuracy(train, test_)).toBeLessThanOrEqual(0.55);
  });
});

test('a statement is true of two pictures, and false of two that differ by a swap or by one object', () => {
  const statements = statementsIn(pool);
  for (const { text, meaning, whenTrue, whenFalse } of statements) {
    expect(stated(meaning)).toBe(text);
    expect(isTrueOf(whenTrue, meaning)).toBe(true);
    expect(isTrueOf(whenFalse, meaning)).toBe(false);
    const objects = (pictures: readonly SceneGraph[]) =>
      pictures.flatMap((picture) => picture.objects.map(({ concept }) => concept));
    const [one, other] = [objects(whenTrue).sort(), objects(whenFalse).sort()];
    expect(one.length).toBe(other.length);
    const gone = [...other];
    for (const concept of one) if (gone.includes(concept)) gone.splice(gone.indexOf(concept), 1);
    expect(gone.length).toBeLessThanOrEqual(1);
  }
  expect(statements.length).toBeGreaterThan(0.9 * (SCENES / 2));
  expect(new Set(statements.map(({ meaning }) => meaning.kind)).size).toBe(4);
});

test('shuffled texts are those of another scene', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 40 }), fc.integer(), (size, seed) => {
      const items = Array.from({ length: size }, (_, index) => index);
      const shuffled = deranged(items, randomStream(seed, 'test'));
      expect(shuffled.toSorted((a, b) => a - b)).toEqual(items);
      expect(shuffled.every((item, index) => item !== index)).toBe(true);
    }),
  );
});

test('a description fits objects by noun, size and colour', () => {
  expect(described(byHand, { noun: { kind: 'anything' }, size: 'large' })).toEqual([dog]);
  expect(described(byHand, { noun: { kind: 'group', name: 'tool' }, colour: 'blue' })).toEqual([blueKey]);
});
