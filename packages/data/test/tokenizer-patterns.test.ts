import { classPattern } from '../src/tokenizer/class-pattern';

test('patterns are those of one class of characters', () => {
  for (const [pattern, text, expected] of [
    ['\\s+', 'a \t\u0085b\ufeff', 'a-b\ufeff'],
    [' {2,}', 'a  b c', 'a-b c'],
    ['[!"\\#\\-\\]]', 'a!b-c]d', 'a-b-c-d'],
    ['[\\s,]+', 'a , b', 'a-b'],
    ['\\.', 'a.b', 'a-b'],
    ['x', 'axb', 'a-b'],
  ] as const) {
    const expression = classPattern(pattern);
    expect([pattern, expression && text.replace(expression, '-')]).toEqual([pattern, expected]);
  }
  for (const pattern of [
    '',
    '.',
    '^a',
    'a|b',
    '[a-z]',
    '[^a]',
    '[a&&b]',
    '[',
    '[]',
    '\\d',
    'ab',
    'a*',
    'a{2}',
    '(a)',
    '[[a]]',
  ])
    expect([pattern, classPattern(pattern)]).toEqual([pattern, undefined]);
});
