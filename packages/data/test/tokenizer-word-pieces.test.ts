import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { type Tokenizer, speakerOf, tokenizerFrom } from '../src/index';

const folder = fileURLToPath(new URL('./tokenizer/word-pieces', import.meta.url));
const jsonIn = (name: string): ReturnType<typeof z.json>['_zod']['output'] =>
  z.json().parse(JSON.parse(readFileSync(`${folder}/${name}`, 'utf8')));
const tokenizer: Tokenizer = tokenizerFrom(jsonIn('tokenizer.json'));
const expected = z
  .array(z.object({ text: z.string(), tokens: z.array(z.number()) }))
  .parse(jsonIn('expected.json'));

test.each(expected)('the tokens that the library makes of $text', ({ text, tokens }) => {
  expect([...tokenizer.encode(text, 500)]).toEqual(tokens);
});

test('what BERT says of itself, and texts that are cut', () => {
  expect([tokenizer.startToken, tokenizer.endToken, tokenizer.unknownToken]).toEqual([2, 3, 1]);
  expect([...tokenizer.encode('a b c a b c', 4)]).toEqual([2, 7, 8, 3]);
});

test('pieces become words again', () => {
  const say = speakerOf(tokenizer);
  expect(say([...tokenizer.encode('Red apples, doggy running', 50)])).toBe('red apples , doggy running');
});
