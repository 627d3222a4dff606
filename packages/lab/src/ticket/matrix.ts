import {
  type LedgerEntry,
  type Runner,
  type Scores,
  disposeTree,
  ledgerEntrySchema,
  loadSnapshot,
  prunableMatrices,
  toJson,
} from '@winnow/core';
import { type Ticket, keptIn, verdictOf } from '@winnow/lottery-ticket';
import { z } from 'zod';
import { type Control, controlled } from './control';
import { type Start, towerDigests } from '../model-source/start';
import { checkStart } from './check-start';
import type { TransferSummary } from './summary';
import { ticketLabel } from './ticket-file';
import { type TicketTraining, trainTicket } from './training';

/** A task that tickets are trained on. */
export interface Destination {
  readonly name: string;
  readonly metric: string;
  /** The towers on this task, the head drawn by the seed; `other` are those of the control θ_0′. */
  startAt(seed: number, weights: 'own' | 'other'): Promise<Start>;
  readonly training: Omit<TicketTraining, 'seed'>;
}

/** A line of the matrix: a ticket, or something in its place at its sparsity. */
export interface Row {
  readonly ticket: Ticket;
  readonly control: Control | 'other-weights';
}

export interface TransferJob {
  readonly from: string;
  readonly rows: readonly Row[];
  readonly destinations: readonly Destination[];
  readonly seeds: readonly number[];
}

const cellSchema = z.object({ scores: z.record(z.string(), z.number()), ledger: ledgerEntrySchema });

/** Every row on every task with every seed, beside the dense model: what has been trained is not trained again. */
export async function transferMatrix(
  runner: Runner,
  { from, rows, destinations, seeds }: TransferJob,
): Promise<TransferSummary> {
  const ledger: LedgerEntry[] = [];
  const onto: TransferSummary['onto'] = [];
  const cells: TransferSummary['rows'][number]['cells'][] = rows.map(() => []);
  for (const [place, { name, metric, startAt, training }] of destinations.entries()) {
    const scoreOf = async (cell: string, seed: number, row: Row | undefined): Promise<number> => {
      const found = await trainedOnce(runner, `${cell}-on-${place}-seed-${seed}`, async (phase) => {
        const start = await startAt(seed, row?.control === 'other-weights' ? 'other' : 'own');
        try {
          return await trainedCell(runner, phase, start, row, { from, training: { ...training, seed } });
        } finally {
          disposeTree(start.params);
        }
      });
      ledger.push(found.ledger);
      return found.scores[metric] ?? Number.NaN;
    };
    const dense: number[] = [];
    for (const seed of seeds) dense.push(await scoreOf('dense', seed, undefined));
    onto.push({ name, metric, dense });
    for (const [index, row] of rows.entries()) {
      const scores: number[] = [];
      for (const seed of seeds) scores.push(await scoreOf(`${index}-${row.control}`, seed, row));
      cells[index]?.push({ scores, ...verdictOf(scores, dense) });
    }
  }
  return {
    command: 'ticket transfer',
    onto,
    rows: rows.map(({ ticket, control }, index) => ({
      ticket: ticketLabel(ticket),
      control,
      sparsity: ticket.sparsity,
      cells: cells[index] ?? [],
    })),
    ledger,
  };
}

interface CellResult {
  readonly scores: Scores;
  readonly ledger: LedgerEntry;
}

async function trainedCell(
  runner: Runner,
  phase: string,
  start: Start,
  row: Row | undefined,
  { from, training }: { readonly from: string; readonly training: TicketTraining },
): Promise<CellResult> {
  const train = async (start: Start, kept: Parameters<typeof trainTicket>[3]): Promise<CellResult> => {
    const { params, scores, ledger } = await trainTicket(runner, phase, start, kept, training);
    disposeTree(params);
    return { scores, ledger };
  };
  if (row === undefined) return train(start, undefined);
  const { ticket, control } = row;
  const kept = keptIn(ticket, prunableMatrices(start.model));
  if (control === 'other-weights') return train(start, kept);
  checkStart(ticket, await towerDigests(start.model, start.params), from);
  return controlled(start, kept, control, training.seed, train);
}

/** Keeps the scores of a training and forgets its parameters: a matrix has too many of them. */
async function trainedOnce(
  { store }: Runner,
  phase: string,
  train: (phase: string) => Promise<CellResult>,
): Promise<CellResult> {
  const name = `cell-${phase}`;
  const saved = await loadSnapshot(store, name, cellSchema);
  if (saved !== undefined) return saved.meta;
  const result = await train(phase);
  await store.save(name, { tensors: new Map(), meta: toJson(result) });
  await store.remove(`phase-${phase}`);
  await store.remove(`scores-${phase}`);
  return result;
}
