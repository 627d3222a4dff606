import { type Account, type MatrixSparsity, type Site, sumCosts } from '@winnow/core';
import type { KeptSite } from '@winnow/lab';
import { count, table } from './format';

const BAR_CELLS = 10;
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;

/** Parameters and MACs per part: one row for each block's attention and FFN, with their norms counted in. */
export function accountReport({ lines, parameters, macs }: Account): string {
  const rows = new Map<string, { parameters: number; macs: number }>();
  for (const { part, ...cost } of lines) {
    const name = part.replace(/Norm$/, '');
    rows.set(name, sumCosts([rows.get(name) ?? { parameters: 0, macs: 0 }, cost]));
  }
  const share = (value: number) => `${((100 * value) / macs).toFixed(1)} %`;
  return table(
    ['part', 'parameters', 'MACs', 'of the MACs'],
    [
      ...[...rows].map(([name, cost]) => [name, count(cost.parameters), count(cost.macs), share(cost.macs)]),
      ['all', count(parameters), count(macs), share(macs)],
    ],
  );
}

/** Where a model can be made smaller: units per layer and component. */
export function sitesReport(sites: readonly Site[]): string {
  return table(
    ['site', 'units', 'parameters per unit', 'MACs per unit'],
    sites.map(({ id, units, unitCost }) => [
      id,
      String(units),
      count(unitCost.parameters),
      count(unitCost.macs),
    ]),
  );
}

/** Tabulates what each site kept of the dense model: layers down, components across. */
export function keptReport(kept: readonly KeptSite[]): string {
  const columns = [...new Set(kept.map(({ component }) => component))];
  const layers = [...new Set(kept.map(({ layer }) => layer))];
  const cell = (layer: number, column: string): string => {
    const site = kept.find((candidate) => candidate.layer === layer && candidate.component === column);
    if (site === undefined) return '';
    const share = site.kept / site.units;
    const shared = site.borrowed === 0 ? '' : ` + ${site.borrowed} shared`;
    return `${bar(share)} ${(100 * share).toFixed(0).padStart(3)} % ${`${site.kept}/${site.units}`.padStart(9)}${shared}`;
  };
  return table(
    ['kept', ...columns],
    layers.map((layer) => [`layer ${layer}`, ...columns.map((column) => cell(layer, column))]),
  );
}

/** Tabulates what masks leave of each matrix: layers of each tower down, matrices across, and what that is in all. */
export function sparsityReport(matrices: readonly MatrixSparsity[]): string {
  const parts = [...new Set(matrices.map(({ part }) => part))];
  const nameOf = ({ tower, layer }: MatrixSparsity) => `${tower} ${layer === undefined ? 'after' : layer}`;
  const rows = [...new Set(matrices.map(nameOf))];
  const cell = (of: readonly MatrixSparsity[]): string => {
    const [kept, size] = [sum(of, (one) => one.kept), sum(of, (one) => one.size)];
    return size === 0 ? '' : `${((100 * kept) / size).toFixed(1)} %`;
  };
  const line = (name: string, of: readonly MatrixSparsity[]) => [
    name,
    ...parts.map((part) => cell(of.filter((matrix) => matrix.part === part))),
    cell(of),
  ];
  const towers = [...new Set(matrices.map(({ tower }) => tower))];
  return table(
    ['left', ...parts, 'together'],
    [
      ...rows.map((row) =>
        line(
          row,
          matrices.filter((matrix) => nameOf(matrix) === row),
        ),
      ),
      ...towers.map((tower) =>
        line(
          `${tower}, all`,
          matrices.filter((matrix) => matrix.tower === tower),
        ),
      ),
      line('all', matrices),
    ],
  );
}

const sum = <Value>(values: readonly Value[], of: (value: Value) => number): number =>
  values.reduce((total, value) => total + of(value), 0);

/** A share as a bar of ten cells. */
export function bar(share: number): string {
  const eighths = Math.round(share * BAR_CELLS * 8);
  const full = Math.floor(eighths / 8);
  return ('█'.repeat(full) + (EIGHTHS[eighths % 8] ?? '')).padEnd(BAR_CELLS, '·');
}
