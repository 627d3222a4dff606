import {
  embeddedGroundingDatasets,
  namesGroundingData,
  namesImageTextData,
  openGroundingDataset,
} from '../src/index';
import { groundingData } from '../src/grounded/grounding-data';
import type { SceneSet } from '../src/scenes/scene-files';
import { sceneGroundings } from '../src/scenes/scene-groundings';
import { sceneQuestions } from '../src/scenes/scene-questions';
import { sceneSentences } from '../src/scenes/scene-sentences';

const few = (control?: SceneSet['control']): SceneSet => ({
  name: 'few scenes',
  test: 'new drawings',
  sizes: { train: 20, validation: 5, test: 12 },
  ...(control === undefined ? {} : { control }),
});
const open = async (control?: SceneSet['control']) =>
  groundingData(await sceneGroundings(few(control)), { imageSize: 32 });

test('scenes with expressions are data for grounding, by their names, and for nothing else', async () => {
  for (const { name } of embeddedGroundingDatasets) {
    expect(await namesGroundingData(name)).toBe(true);
    expect(await namesImageTextData(name)).toBe(false);
  }
  await expect(openGroundingDataset('scenes-expresions', { imageSize: 32 })).rejects.toThrow(
    'Did you mean scenes-expressions?',
  );
});

test('a batch has pictures, texts, and the box and the tokens of what each text means', async () => {
  const { train, tokenizer, context, texts } = await open();
  const batch = await train.batch([0, 1, 2, 3]);
  expect(batch.images).toHaveLength(4 * 32 * 32 * 3);
  const { boxes, examples, tokens } = batch.objects;
  expect([...examples]).toEqual([0, 1, 2, 3]);
  expect(boxes).toHaveLength(16);
  tokens.forEach((places, example) => {
    // The root noun phrase is the beginning of the text, behind the start token.
    expect([...places]).toEqual(Array.from(places, (_, index) => index + 1));
    expect(places.length).toBeGreaterThan(1);
    const [x = 0, y = 0, width = 0, height = 0] = boxes.subarray(4 * example, 4 * example + 4);
    expect(Math.min(x - width / 2, y - height / 2)).toBeGreaterThanOrEqual(0);
    expect(Math.max(x + width / 2, y + height / 2)).toBeLessThanOrEqual(1);
  });
  const longest = Math.max(...texts.train.map((text) => tokenizer.encode(text, 77).length));
  expect(context).toBe(longest);
});

test('negative controls have the boxes or the expressions of others', async () => {
  const [plain, shuffled, permuted] = [
    await open(),
    await open('shuffled texts'),
    await open('permuted boxes'),
  ];
  const all = async ({ test }: typeof plain) =>
    test.batch(Array.from({ length: test.size }, (_, index) => index));
  const [own, said, meant] = [await all(plain), await all(shuffled), await all(permuted)];
  expect([...said.objects.boxes]).toEqual([...own.objects.boxes]);
  expect(shuffled.texts.test).not.toEqual(plain.texts.test);
  expect([...shuffled.texts.test].sort()).toEqual([...plain.texts.test].sort());
  expect(permuted.texts.test).toEqual(plain.texts.test);
  expect([...meant.objects.boxes]).not.toEqual([...own.objects.boxes]);
  expect([...meant.objects.boxes].sort()).toEqual([...own.objects.boxes].sort());
});

test('pictures are not varied: their boxes would have to move along', async () => {
  const found = await sceneGroundings(few());
  await expect(groundingData(found, { imageSize: 32, augmentation: 'light' })).rejects.toThrow(
    'expected no augmentation: boxes would have to move along with the pictures',
  );
});

test('a sentence names every object of its scene once, like phrases stand together, and its phrases have words of their own', async () => {
  const found = await sceneSentences(few());
  const { train, phrases } = await groundingData(found, { imageSize: 32 });
  expect(phrases).toBe(true);
  expect((await open()).phrases).toBe(false);
  for (const { text, objects } of found.splits.train) {
    const spans = [...new Map(objects.map(({ spans: [span] }) => [span?.start, span])).values()];
    let said = text;
    for (const span of [...spans].sort((a, b) => (b?.start ?? 0) - (a?.start ?? 0)))
      said = said.slice(0, span?.start) + '_' + said.slice(span?.end);
    // Nothing but the phrases, in a list.
    expect(said).toMatch(/^(_(, _)* and )?_$/);
    expect(new Set(objects.map(({ box }) => box.join())).size).toBe(objects.length);
  }
  const { objects } = await train.batch([0, 1, 2]);
  const phrase = objects.tokens.map((own, object) => `${objects.examples[object]}: ${own.join()}`);
  for (const [index, own] of objects.tokens.entries()) {
    // Two phrases of a text share no token; objects of one phrase share all.
    objects.tokens.forEach((other, at) => {
      if (objects.examples[at] !== objects.examples[index] || phrase[at] === phrase[index]) return;
      expect([...own].filter((token) => other.includes(token))).toEqual([]);
    });
  }
});

test('a model that learned from sentences has the words of expressions and questions, and room for expressions', async () => {
  const sentences = await groundingData(await sceneSentences(few()), { imageSize: 32 });
  const expressions = await open();
  const { tokenizer, context } = sentences;
  const questions = (await sceneQuestions(few())).splits.train.map(({ text }) => text.replace('?', ' ?'));
  const words = [...new Set([...expressions.texts.train, ...questions].flatMap((text) => text.split(' ')))];
  // An unknown word would share the token of the others.
  expect(new Set(words.map((word) => tokenizer.encode(word, context)[1])).size).toBe(words.length);
  expect(context).toBeGreaterThanOrEqual(expressions.context);
});
