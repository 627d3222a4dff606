/** Forms that are written with an apostrophe; answers that leave it out get it back. */
const contractions = [
  ..."ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't hadn't've hasn't haven't".split(
    ' ',
  ),
  ..."he'd he'd've he's how'd how'll how's I'd've I'm I've isn't it'd it'd've it'll let's ma'am mightn't".split(
    ' ',
  ),
  ..."mightn't've might've mustn't must've needn't not've o'clock oughtn't shan't she'd've should've".split(
    ' ',
  ),
  ..."shouldn't shouldn't've somebody'd somebody'll somebody's someone'd someone'll someone's something'd".split(
    ' ',
  ),
  ..."something'll that'd that'd've that's there'd there'd've there're there's they'd they'd've they'll".split(
    ' ',
  ),
  ..."they're they've 'twas wasn't we'd've we've weren't what'll what're what's what've when's where'd".split(
    ' ',
  ),
  ..."where's where've who'd who'd've who'll who's who've why'll why're why's won't would've wouldn't".split(
    ' ',
  ),
  ..."wouldn't've y'all y'all'll you'd you'd've you'll you're you've".split(' '),
];
const withApostrophe = new Map(
  contractions.map((word) => [word.replaceAll("'", '').toLowerCase(), word.toLowerCase()]),
);

const numbers = 'none|zero|one|two|three|four|five|six|seven|eight|nine|ten'.split('|');
const digits = new Map(numbers.map((word, index) => [word, String(Math.max(0, index - 1))]));
const articles = new Set(['a', 'an', 'the']);

const marks = [...';/[]"{}()=+\\_-><@`,?!'];
const COMMA_IN_NUMBER = /\d,\d/;
const FULL_STOP = /\.(?!\d)/g;

/**
 * An answer as VQA's evaluation compares it (Antol et al., 2015; GT-Vision-Lab/VQA, `vqaEval.py`): small letters, no punctuation, number words up
 * to ten as digits, no articles, contractions with their apostrophes.
 */
export function normalAnswer(answer: string): string {
  const text = answer.replaceAll(/[\n\t]/g, ' ').trim();
  const bare = marks.reduce((sofar, mark) => {
    const isBeside = text.includes(`${mark} `) || text.includes(` ${mark}`);
    return sofar.replaceAll(mark, isBeside || COMMA_IN_NUMBER.test(text) ? '' : ' ');
  }, text);
  return bare
    .replaceAll(FULL_STOP, '')
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '' && !articles.has(word))
    .map((word) => digits.get(word) ?? withApostrophe.get(word) ?? word)
    .join(' ');
}

/**
 * The score of an answer beside those that people gave, from 0 to 1: min(1, people who gave it / 3), averaged over all ways to leave one of them
 * out (VQA v2). For a single right answer it is 1 or 0.
 * @throws {RangeError} without answers to compare with.
 */
export function vqaScore(answer: string, given: readonly string[]): number {
  if (given.length === 0) throw new RangeError('expected answers that people gave, got none');
  const own = normalAnswer(answer);
  const same = given.map((other) => normalAnswer(other) === own);
  const [first, ...others] = same;
  if (others.length === 0) return first === true ? 1 : 0;
  const agreeing = same.filter(Boolean).length;
  return same.reduce((sum, left) => sum + Math.min(1, (agreeing - (left ? 1 : 0)) / 3), 0) / same.length;
}
