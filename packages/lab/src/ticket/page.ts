import { existsSync } from 'node:fs';
import { type LedgerEntry, UserError } from '@winnow/core';
import { RELAXED_SHARE, type Verdict, overlapOf, sampleOf } from '@winnow/lottery-ticket';
import type {
  ShareMatrix,
  SparsityChart,
  SparsityCurve,
  SparsityPageData,
  SparsityPoint,
} from '@winnow/report';
import { z } from 'zod';
import { listed } from '../options/path';
import { environmentOf } from '../comparison/environment';
import type { RunRecord } from '../run-folder/record';
import { resumeCommand } from '../run-folder/resume-command';
import {
  type FindSummary,
  type TicketTrainSummary,
  type TransferSummary,
  findSummary,
  readTicketSummary,
  trainSummary,
  transferSummary,
} from './summary';
import { readTicket, ticketLabel } from './ticket-file';

const anySummary = z.discriminatedUnion('command', [findSummary, trainSummary, transferSummary]);
/** The results of any run of `winnow ticket`. */
export type TicketSummary = z.output<typeof anySummary>;

/** Whether a run is one of `winnow ticket`. */
export const isTicketRun = ({ command }: Pick<RunRecord, 'command'>): boolean =>
  command.startsWith('ticket ');

/**
 * The results of a run of `winnow ticket`, and the page that shows them.
 * @param remarks What a reader has to know before the numbers.
 * @throws {UserError} when it has not finished.
 */
export async function ticketRunPage(
  folder: string,
  record: RunRecord,
  remarks: readonly string[],
): Promise<{ readonly summary: TicketSummary; readonly page: SparsityPageData }> {
  const summary = await readTicketSummary(folder, anySummary);
  if (summary === undefined)
    throw new UserError(`the run in ${folder} has not finished: ${resumeCommand(record.command, folder)}`);
  switch (summary.command) {
    case 'ticket find':
      return { summary, page: pageOf(record, summary, remarks, findParts(summary)) };
    case 'ticket train':
      return { summary, page: pageOf(record, summary, remarks, trainParts(summary)) };
    case 'ticket transfer':
      return { summary, page: pageOf(record, summary, remarks, await transferParts(summary, record)) };
    default:
      return summary satisfies never;
  }
}

type Parts = Pick<SparsityPageData, 'title' | 'summary' | 'charts' | 'matrices'>;

const pageOf = (
  record: RunRecord,
  { ledger }: { readonly ledger: readonly LedgerEntry[] },
  remarks: readonly string[],
  parts: Parts,
): SparsityPageData => ({
  ...parts,
  remarks,
  command: `winnow ${record.command} --config config.json`,
  config: JSON.stringify(record.options, undefined, 2),
  environment: environmentOf(record),
  ledger,
});

/** A ticket after every round, each scored by the round that trains under it. */
function findParts({ tickets, metric, data }: FindSummary): Parts {
  const scores = tickets.map(({ scores }) => scores[metric] ?? Number.NaN);
  const [dense = Number.NaN] = scores;
  const bar = RELAXED_SHARE * dense;
  const points = tickets.slice(1).map(({ sparsity }, place): SparsityPoint => {
    const mean = scores[place + 1] ?? Number.NaN;
    return { sparsity, mean, deviation: null, seeds: 1, verdict: mean >= bar ? 'wins' : 'loses' };
  });
  const places = [...new Set(tickets.flatMap(({ kept }) => kept.map(({ place }) => place)))];
  const left: ShareMatrix = {
    title: 'What is left of every tower and layer',
    note: 'weights that the ticket keeps',
    rows: places,
    columns: tickets.map(({ sparsity }) => percent(sparsity)),
    shares: places.map((wanted) =>
      tickets.map(({ kept }) => kept.find(({ place }) => place === wanted)?.kept ?? 1),
    ),
  };
  return {
    title: `Tickets of ${data}`,
    summary: `One search, scored by ${metric}: a single seed says nothing about chance`,
    charts: [
      {
        onto: data,
        metric,
        dense,
        bar,
        curves: [{ label: 'rounds of the search', isControl: false, points }],
      },
    ],
    matrices: places.length === 0 ? [] : [left],
  };
}

function trainParts({ data, metric, sparsity, control, scores, kept }: TicketTrainSummary): Parts {
  const mean = scores[metric] ?? Number.NaN;
  return {
    title: `A ticket trained on ${data}`,
    summary: `${percent(sparsity)} sparsity, ${control === 'none' ? 'the ticket itself' : control}: ${metric} ${mean.toFixed(2)}`,
    charts: [],
    matrices: [
      {
        title: 'What is left of every tower and layer',
        note: 'weights that the ticket keeps',
        rows: kept.map(({ place }) => place),
        columns: [percent(sparsity)],
        shares: kept.map(({ kept }) => [kept]),
      },
    ],
  };
}

/** Every ticket and control on every task, and how much the tickets have in common. */
async function transferParts(summary: TransferSummary, { options, paths }: RunRecord): Promise<Parts> {
  const { onto, rows } = summary;
  const seeds = onto[0]?.dense.length ?? 0;
  const charts = onto.map(({ name, metric, dense }, column): SparsityChart => {
    const { mean } = sampleOf(dense);
    return { onto: name, metric, dense: mean, bar: RELAXED_SHARE * mean, curves: curvesOf(summary, column) };
  });
  const tickets = rows.filter(({ control }) => control === 'none');
  const moved: ShareMatrix = {
    title: 'Transfer',
    note: 'tickets down, tasks across: scores as a share of the dense model’s',
    rows: tickets.map(({ ticket }) => ticket),
    columns: onto.map(({ name }) => name),
    shares: tickets.map(({ cells }) => cells.map(({ relative }) => relative)),
  };
  const overlap = await overlapMatrix(paths?.['tickets'] ?? String(options['tickets'] ?? ''));
  return {
    title: `Tickets on ${onto.map(({ name }) => name).join(', ')}`,
    summary: `${rows.length} tickets and controls, ${seeds} ${seeds === 1 ? 'seed: it says nothing about chance' : 'seeds'}`,
    charts,
    matrices: [...(tickets.length === 0 ? [] : [moved]), ...(overlap === undefined ? [] : [overlap])],
  };
}

/** One curve for the tickets of each search, and one for each control of them. */
function curvesOf({ rows }: TransferSummary, column: number): SparsityCurve[] {
  // Labels end in the sparsity, which is the axis.
  const labelOf = ({ ticket, control }: TransferSummary['rows'][number]) => {
    const tickets = `tickets of ${ticket.replace(/ [\d.]+ %$/, '')}`;
    return control === 'none' ? tickets : `${control}, as ${tickets}`;
  };
  return [...new Set(rows.map(labelOf))].map((label) => {
    const own = rows.filter((row) => labelOf(row) === label);
    const points = own.flatMap(({ sparsity, cells }) => {
      const cell = cells[column];
      return cell === undefined ? [] : [pointOf(sparsity, cell)];
    });
    points.sort((a, b) => a.sparsity - b.sparsity);
    return { label, isControl: own.every(({ control }) => control !== 'none'), points };
  });
}

const pointOf = (
  sparsity: number,
  { mean, deviation, count, isRelaxedWinning, isWithinDeviation }: Verdict,
): SparsityPoint => ({
  sparsity,
  mean,
  deviation: count < 2 ? null : deviation,
  seeds: count,
  verdict: isRelaxedWinning ? 'wins' : isWithinDeviation ? 'by its deviation' : 'loses',
});

/** Makes the matrix of overlaps of the tickets that were listed, where their files are still there. */
async function overlapMatrix(files: string): Promise<ShareMatrix | undefined> {
  const known = listed(files).filter((file) => existsSync(file));
  if (known.length < 2) return undefined;
  const tickets = await Promise.all(known.map(readTicket));
  const labels = tickets.map(ticketLabel);
  const overlaps = tickets.map((one, row) =>
    tickets.map((other, column) => (row === column ? undefined : overlapOf(one, other))),
  );
  return {
    title: 'Overlap',
    note: 'weights that both keep, as a share of those that either keeps',
    rows: labels,
    columns: labels,
    shares: overlaps.map((row) => row.map((overlap) => overlap?.shared ?? null)),
    expected: overlaps.map((row) => row.map((overlap) => overlap?.random ?? null)),
  };
}

const percent = (share: number): string => `${Number((100 * share).toFixed(2))} %`;
