import { csvOf } from '../src/results/csv';

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
