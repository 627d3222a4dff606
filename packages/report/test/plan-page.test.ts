import { planPage } from '../src/index';

const expected = (score: number) => ({ score, plusMinus: 1.5 });
const page = planPage({
  title: 'small <model>, planned',
  summary: 'without training',
  remarks: [],
  command: 'winnow plan small',
  config: '',
  environment: [['Winnow', '0']],
  metric: 'top1',
  budgetUnit: 'macs',
  scoredOn: 'validation, 40 examples',
  dense: { parameters: 4e6, macs: 8e8, latencyMs: 20, score: 91 },
  front: [
    { keep: 1, parameters: 4e6, macs: 8e8, latencyMs: 20, expected: expected(91) },
    { keep: 0.5, parameters: 2.1e6, macs: 4e8, latencyMs: 12, expected: expected(88) },
    { keep: 0.25, parameters: 1.2e6, macs: 2e8, latencyMs: 8, expected: null },
  ],
  built: [
    { keep: 0.5, parameters: 2.1e6, macs: 4e8, latencyMs: 12, measuredMs: 12.5, denseMs: 21, score: 88.2 },
  ],
  latencyOff: 0.04,
});

it('plots expected scores by size, work and time, with what was built, without a script', () => {
  const plots = page.match(/<svg [\s\S]*?<\/svg>/g) ?? [];
  expect(plots.map((plot) => /aria-label="([^"]*)"/.exec(plot)?.[1])).toEqual([
    'right answers, % by parameters, millions',
    'right answers, % by multiply–accumulates, millions',
    'right answers, % by latency of one example, ms',
  ]);
  for (const plot of plots) {
    expect(plot.match(/<circle /g)).toHaveLength(1);
    const line = /<polyline points="([^"]*)"/.exec(plot)?.[1]?.split(' ') ?? [];
    expect(line).toHaveLength(2); // Nothing is said of the smallest.
    for (const coordinate of line.flatMap((point) => point.split(',')))
      expect(Number(coordinate)).toBeGreaterThan(0);
    expect(plot).not.toMatch(/NaN|Infinity/);
  }
});

it('has every number in a table too', () => {
  expect(page).toMatch(/<th scope="row">50 %<\/th>[\s\S]*?12\.0 ms[\s\S]*?88\.0 ± 1\.5/);
  expect(page).toMatch(/12\.5 ms<\/td>[\s\S]*?21\.0 ms<\/td>[\s\S]*?88\.20/);
  expect(page).toContain('up to 4 % off');
  expect(page).toContain('<h1>small &lt;model&gt;, planned</h1>');
});
