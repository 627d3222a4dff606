import { commandLine } from '../src/arguments/command-line';
import { table } from '../src/report/format';
import { csvOf } from '../src/results/csv';
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

test('no label is a formula to a spreadsheet, and numbers are numbers', () => {
  const labels = [
    '=HYPERLINK("http://x")',
    '+1+1',
    '-2+3',
    '@SUM(A1)',
    '\t=1',
    '\r\n=1',
    '＝1',
    'a=b',
    '-5',
    '+0.5e3',
    '50%',
  ];
  const text = csvOf({
    name: 'runs',
    columns: { label: 'VARCHAR', value: 'DOUBLE' },
    lines: [...labels.map((label) => ({ label, value: -1.5 })), { label: null, value: null }],
  });
  expect(text.startsWith('label,value\r\n"')).toBe(true);
  expect(text).toContain(`"'=HYPERLINK(""http://x"")",-1.5\r\n`);
  for (const label of ['+1+1', '-2+3', '@SUM(A1)', '\t=1', '＝1'])
    expect(text).toContain(`\r\n'${label},-1.5`);
  for (const label of ['a=b', '-5', '+0.5e3', '50%']) expect(text).toContain(`\r\n${label},-1.5`);
  expect(text).toContain(`"'\r\n=1",-1.5`);
  expect(text.endsWith('\r\n,\r\n')).toBe(true);
});
