import { budgetLine } from '../src/terminal/report/run-report';

const achieved = { removed: 501, asked: 500, total: 1000 };

it('a table says what its budget counts, as its ratio is another', () => {
  const line = budgetLine({
    budget: { unit: 'compressible-parameters', keep: 0.5 },
    achieved,
    ratios: { parameters: 1.91, macs: 1.9 },
  });
  expect(line).toMatch(/^Budget: keep 50\.00 % of the parameters that can be removed .*; kept 49\.90 %\.$/);
});

it('masks of single weights save no multiply–accumulates', () => {
  const line = budgetLine({
    budget: { unit: 'parameters', keep: 0.5 },
    achieved,
    ratios: { parameters: 2, macs: 1 },
  });
  expect(line).toMatch(/as many multiply–accumulates are computed\.$/);
});
