import { type Json, visible } from '@winnow/core';
import fc from 'fast-check';
import { html } from '../src/html';
import { reportPage, runPage, sparsityPage } from '../src/index';
import { figuresOf } from '../src/page/figure';
import { exampleData, exampleRun, exampleTickets } from './example';

describe('the page', () => {
  const page = reportPage(exampleData());

  it('needs nothing from anywhere else', () => {
    const markup = page.replace(/<script>[\s\S]*<\/script>/, '');
    expect(markup).not.toMatch(/\b(?:src|href)="(?!#|data:)/);
    expect(markup).toMatch(/default-src 'none'/);
  });
  it('has its tables without a script: captions, headings of rows and columns', () => {
    const tables = page.match(/<table>/g) ?? [];
    expect(tables.length).toBeGreaterThan(5);
    expect(page.match(/<caption>/g)).toHaveLength(tables.length);
    expect(page).toMatch(/<th scope="row">upop<\/th>\s*<td data-label="top1 before retraining">/);
    expect(page).toMatch(/<th scope="row">random <small>control<\/small>/);
    expect(page).toMatch(/<td data-label="Place">1<\/td>/);
  });
  it('shows failures and what reproduces it', () => {
    expect(page).toMatch(/a budget of 25 % cannot be reached &amp; &lt;more&gt;/);
    expect(page).toMatch(/<th scope="row">sharing<\/th>\s*<td data-label="[^"]*">failed<\/td>/);
    expect(page).toMatch(/<code>winnow compare quick --out runs\/quick<\/code>/);
  });
  it('shows what a terminal or a page would obey', () => {
    const title = 'a\u001b[31mb \u202egnp.exe';
    const page = reportPage({ ...exampleData(), title });
    expect(page).toContain('<h1>a\\u001b[31mb \\u202egnp.exe</h1>');
    expect(page.replace(/<script>[\s\S]*<\/script>/, '')).not.toMatch(/[\u001b\u202e]/);
  });
  it('carries its data whole, whatever they say', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (title) => {
        const data = { ...exampleData(), title, config: '</script><script>alert(1)</script>' };
        const text = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(
          reportPage(data),
        )?.[1];
        const whole: unknown = JSON.parse(
          JSON.stringify({ kind: 'comparison', ...data }),
          (_key, value: unknown) => (typeof value === 'string' ? visible(value) : value),
        );
        expect(JSON.parse(text ?? '')).toEqual(whole);
      }),
      { numRuns: 30 },
    );
  });
});

describe('the page of tickets', () => {
  const page = sparsityPage(exampleTickets());

  it('has every score with its verdict in a table, by both rules', () => {
    expect(page).toMatch(
      /<th scope="row">tickets of &lt;a&gt;<\/th>\s*<td data-label="30 %">59\.70 ± 0\.40 ✓<\/td>/,
    );
    expect(page).toMatch(/<td data-label="[^"]*">59\.10 ± 0\.40 \(✓\)<\/td>/);
    expect(page).toMatch(
      /<th scope="row">shuffled <small>control<\/small><\/th>\s*<td data-label="[^"]*">54\.00<\/td>/,
    );
  });
  it('has overlaps with what chance would give beside them, and none of a ticket with itself', () => {
    expect(page).toMatch(
      /<th scope="row">a<\/th>\s*<td data-label="a"><\/td>\s*<td data-label="b">40\.0 % \(25\.0 %\)<\/td>/,
    );
    expect(page).toMatch(/<td data-label="names">102\.0 %<\/td>/);
  });
  it('has no part that nothing is said in', () => {
    const bare = sparsityPage({ ...exampleTickets(), charts: [], matrices: [] });
    expect(bare).not.toMatch(/id="(?:scores|matrices)"|#scores|#matrices/);
    expect(bare).toMatch(/id="ledger"/);
  });
});

test('text never becomes markup', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const inside = html`<p title="${text}">${[text]}</p>`.html.slice('<p title="'.length, -'</p>'.length);
      expect(inside.replace('">', '')).not.toMatch(/[<>"']/);
    }),
  );
});

describe('figures of plain data', () => {
  it('exist for everything that JSON can hold, with a value or a gap for every place', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const findings: Json = JSON.parse(JSON.stringify(value));
        for (const { places, series } of figuresOf(findings)) {
          expect(series.length).toBeGreaterThan(0);
          for (const { values } of series) expect(values).toHaveLength(places.length);
        }
      }),
    );
  });
  it('are lines over what is counted, bars over what is named', () => {
    const [evolution, subLayers, distances] = figuresOf(exampleData().figures[0]?.findings ?? null);
    expect(evolution).toMatchObject({ kind: 'line', places: ['1', '2'] });
    expect(subLayers).toMatchObject({
      kind: 'bar',
      places: ['vision.blocks.0.attention', 'text.blocks.0.ffn'],
    });
    expect(subLayers?.series.map(({ name }) => name)).toEqual(['borrowed', 'pruned']);
    expect(distances?.series).toEqual([
      { name: 'selected', values: [0.1, 0.2] },
      { name: 'others', values: [0.4, null] },
    ]);
  });
});

test('the page of a run shows what both models say of some examples, as text', () => {
  const page = runPage(exampleRun());
  expect(page).toMatch(/both show a &lt;cat&gt;/);
  expect(page).toMatch(/full model:\s+surely true<br \/>smaller model: rather false/);
  expect(page).not.toContain('class="boxed"');
  expect(runPage({ ...exampleRun(), said: [] })).not.toContain('What is said of some pictures');
});

test('boxes stand on both pictures, right ones dashed, with their labels as text', () => {
  const box = (left: number, label: string) => ({ box: [left, 0.5, left + 0.25, 0.95] as const, label });
  const example = {
    ...{ pictures: ['data:image/png;base64,AA=='], asked: 'a <red> car', right: '1 box' },
    ...{ dense: '1 of 1 found', compressed: '0 of 1 found, 1 box elsewhere' },
    boxes: { right: [box(0.1, '')], dense: [box(0.1, '<b>')], compressed: [box(0.6, '40 %')] },
  };
  const page = runPage({ ...exampleRun(), said: [example] });
  expect(page.match(/class="boxed"/g)).toHaveLength(2);
  expect(
    page.match(/class="right"\s+style="left:10.00%;top:50.00%;width:25.00%;height:45.00%"/g),
  ).toHaveLength(2);
  expect(page).toMatch(/class="found"\s+style="left:60.00%;[^"]*"\s+title="40 %"/);
  expect(page).toContain('&lt;b&gt;');
  expect(page).toContain('Dashed boxes are where things are');
});
