import type {
  FindSummary,
  TicketOverlaps,
  TicketSummary,
  TicketTrainSummary,
  TransferSummary,
} from '@winnow/lab';
import { bytes, count, scoreText, table } from './format';

const percent = (share: number, digits = 1): string => `${(100 * share).toFixed(digits)} %`;

/** Describes the results of a run of `winnow ticket`, for people. */
export function ticketReport(summary: TicketSummary, folder: string): string {
  switch (summary.command) {
    case 'ticket find':
      return findReport(summary, folder);
    case 'ticket train':
      return trainReport(summary, folder);
    case 'ticket transfer':
      return transferReport(summary, folder);
    default:
      return summary satisfies never;
  }
}

/** Scores and what is left of each tower, by sparsity. */
export function findReport({ metric, data, tickets }: FindSummary, folder: string): string {
  const towers = (tickets.at(-1)?.kept ?? []).filter(({ place }) => !place.includes(' '));
  const dense = tickets[0]?.scores[metric] ?? Number.NaN;
  const rows = tickets.map(({ round, sparsity, kept, scores }) => {
    const score = scores[metric] ?? Number.NaN;
    return [
      percent(sparsity),
      String(round),
      ...towers.map(({ place }) => percent(kept.find((found) => found.place === place)?.kept ?? 1)),
      scoreText(metric, score),
      percent(score / dense),
    ];
  });
  const head = ['sparsity', 'rounds', ...towers.map(({ place }) => `left of ${place}`)];
  return `${table([...head, `${metric} on ${data}`, 'of the dense'], rows)}\nThe tickets are in ${folder}/tickets`;
}

export function trainReport(
  { metric, data, sparsity, control, parameters, macs, bytes: size, scores, kept }: TicketTrainSummary,
  folder: string,
): string {
  const rows = [
    ['sparsity', percent(sparsity)],
    ['control', control],
    ['parameters left', count(parameters)],
    ['MACs, dense', count(macs)],
    ['weights file', bytes(size)],
    ...Object.entries(scores).map(([name, value]) => [
      `test ${name}${name === metric ? ' *' : ''}`,
      scoreText(name, value),
    ]),
    ...kept.map(({ place, kept }) => [`left of ${place}`, percent(kept)]),
  ];
  return `${table(['', data], rows)}\nThe run is in ${folder}`;
}

/** Tickets down, tasks across: mean ± deviation, relative to the dense model, and whether it wins. */
export function transferReport({ onto, rows }: TransferSummary, folder: string): string {
  const seeds = onto[0]?.dense.length ?? 0;
  const lines = rows.map(({ ticket, control, cells }) => [
    control === 'none' ? ticket : `${ticket}, ${control}`,
    ...cells.map(({ mean, deviation, relative, isRelaxedWinning, isWithinDeviation }) => {
      const mark = isRelaxedWinning ? '✓' : isWithinDeviation ? '(✓)' : '';
      return `${mean.toFixed(2)} ± ${deviation.toFixed(2)} = ${relative === null ? '–' : percent(relative)} ${mark.padStart(3)}`;
    }),
  ]);
  return [
    table(['ticket', ...onto.map(({ name, metric }) => `${name}, ${metric}`)], lines),
    `${seeds === 1 ? 'A single seed' : `Over ${seeds} seeds`}. ✓: the mean is at least 99 % of the dense model's; (✓): only with one standard deviation added.`,
    `The run is in ${folder}`,
  ].join('\n');
}

/** Overlaps of every two tickets; in brackets what random masks as large would have. */
export function overlapReport({ tickets: labels, overlaps, kept }: TicketOverlaps): string {
  const matrix = overlaps.map((row, index) => [
    labels[index] ?? '',
    ...row.map(({ shared, random }, other) =>
      other === index ? '' : `${percent(shared)} (${percent(random)})`,
    ),
  ]);
  const places = [...new Set(kept.flatMap((shares) => shares.map(({ place }) => place)))];
  const left = places.map((place) => [
    place,
    ...kept.map((shares) => {
      const found = shares.find((share) => share.place === place);
      return found === undefined ? '' : percent(found.kept);
    }),
  ]);
  return [
    table(['overlap (of random masks)', ...labels], matrix),
    'Weights left:',
    table(['', ...labels], left),
  ].join('\n');
}
