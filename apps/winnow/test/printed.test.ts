import { commandLine } from '../src/arguments/command-line';
import { duration, table } from '../src/terminal/report/format';
import { print } from '../src/terminal/terminal';
import { screen, winnow } from './terminal';

test('what is printed cannot command the terminal, and shows no password', () => {
  const { stream, text } = screen(true);
  print(stream, 'class a\u001b]0;title\u0007 of redis://someone:secret@host\nnext');
  expect(text()).toBe('class a\\u001b]0;title\\u0007 of redis://someone:***@host\nnext\n');
});

test('nor can what a command answers to', async () => {
  const { code, stderr } = await winnow(['inspect', 'no\u001b[2Jmodel\u202e']);
  expect(stderr).toContain('no\\u001b[2Jmodel\\u202e');
  expect(stderr).not.toMatch(/[\u001b\u202e]/);
  expect(code).toBe(2);
});

test('a name in a table stays on its line', () => {
  expect(table(['name'], [['a\nb\u001b[1m']]).split('\n')).toHaveLength(5);
  expect(table(['name'], [['a\nb\u001b[1m']])).toContain('a\\u000ab\\u001b[1m');
});

test.each([
  [['compare', 'quick', '--queue', 'redis://h:1'], 'winnow compare quick --queue redis://h:1'],
  [['train', '--out', 'my runs', '--data', "it's"], `winnow train --out 'my runs' --data 'it'\\''s'`],
])('a command line is one that a shell takes: %j', (args, line) => {
  expect(commandLine(args)).toBe(line);
});

test.each([
  [59.94, '59.9 s'],
  [59.97, '1 min 0 s'],
  [239.7, '4 min 0 s'],
  [83.2, '1 min 23 s'],
])('%d seconds are said as %s', (seconds, said) => {
  expect(duration(seconds)).toBe(said);
});
