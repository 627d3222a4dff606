import { type Tokenizer, openTokenizer } from '../src/index';
import { clipReference, describePublished, publishedNote, publishedVocabulary } from './tokenizer/published';

describePublished(`CLIP's published vocabulary${publishedNote}`, () => {
  let tokenizer: Tokenizer;
  beforeAll(async () => {
    tokenizer = await openTokenizer(publishedVocabulary);
  });

  test('49,408 tokens', () => {
    expect(tokenizer).toMatchObject({ vocabulary: 49_408, startToken: 49_406, endToken: 49_407 });
  });

  test('a photo of an astronaut', () => {
    expect([...tokenizer.encode('a photo of an astronaut riding a horse on mars', 77)]).toEqual([
      49406, 320, 1125, 539, 550, 18376, 6765, 320, 4558, 525, 7496, 49407,
    ]);
  });

  test("2,507 texts as Hugging Face's CLIPTokenizer encodes them", () => {
    const reference = clipReference();
    expect(reference).toHaveLength(2507);
    const different = reference.filter(
      ([text, tokens]) => tokenizer.encode(text, 10_000).join() !== tokens.join(),
    );
    expect(different).toEqual([]);
  });

  test('77 tokens of a longer text, as with truncation=True', () => {
    const long = clipReference().filter(([, tokens]) => tokens.length > 77);
    expect(long.length).toBeGreaterThan(3);
    for (const [text, tokens] of long) {
      expect([...tokenizer.encode(text, 77)]).toEqual([...tokens.slice(0, 76), 49_407]);
    }
  });
});
