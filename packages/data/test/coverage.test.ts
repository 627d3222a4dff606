import { textCoverage, wordTokenizer } from '../src/index';
import { smallClipTokenizer } from './tokenizer/small';

const tokenizer = wordTokenizer(['a red cat', 'a blue dog']);

test('counts what a vocabulary does not know, what is cut and what was lost', () => {
  expect(textCoverage(tokenizer, ['a red dog', 'a green dog', 'quo vadis', 'caf\ufffd'], 5)).toEqual({
    texts: 4,
    tokens: 10,
    unknown: 5,
    unknownTexts: 2,
    cutTexts: 0,
    damagedTexts: 1,
  });
  expect(textCoverage(tokenizer, ['a red cat', 'a red', 'a red cat a red cat'], 4)).toMatchObject({
    cutTexts: 2,
  });
});

test('a sentence without spaces is one word that nobody knows', () => {
  const chinese = wordTokenizer(['红色的方块在桌子上第一张甲', '蓝色的方块在桌子上第二张甲']);
  expect(textCoverage(chinese, ['绿色的方块在桌子上第三张甲'], 10)).toMatchObject({
    unknown: 1,
    unknownTexts: 1,
  });
});

test('byte pairs know every text', () => {
  expect(smallClipTokenizer().unknownToken).toBeDefined();
  expect(textCoverage(smallClipTokenizer(), ['red', '红色的方块', ':-)'], 77)).toMatchObject({
    unknown: 0,
    unknownTexts: 0,
  });
});
