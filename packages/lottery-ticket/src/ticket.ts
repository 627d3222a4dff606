import {
  type KeptEntries,
  type ParameterMask,
  type ParameterMasks,
  type PrunableMatrix,
  UserError,
  entriesOfMask,
  keptCount,
  maskSize,
  maskedCount,
} from '@winnow/core';
import { z } from 'zod';
import { masksOf } from './masks';
import { ticketName, ticketPlace } from './names';
import { everything } from './pruning';

const count = z.int().nonnegative();
const PROBLEMS_SHOWN = 10;

/** A mask, and which weights it is for: what a search finds on one task and others are trained from. */
export interface Ticket {
  readonly winnow: 'ticket/1';
  /** Share of the original weights that is gone. */
  readonly sparsity: number;
  /** SHA-256 of the weights that it starts from, tower by tower. */
  readonly start: Readonly<Record<string, string>>;
  /** The steps of training that those weights have behind them (θ_i). */
  readonly rewindSteps: number;
  readonly found: {
    readonly task: string;
    readonly data: string;
    /** Rounds of training that led to it. */
    readonly round: number;
    readonly seed: number;
    /** Hash of the run's options. */
    readonly run: string;
  };
  /** By names that do not depend on the model that the tower stands in. */
  readonly masks: ParameterMasks;
}

const ticketSchema: z.ZodType<Ticket> = z.strictObject({
  winnow: z.literal('ticket/1', 'expected a ticket of version 1'),
  sparsity: z.number().min(0).max(1),
  masks: z.record(
    z.string(),
    z.strictObject({ kind: z.literal('mask'), shape: z.array(count), bits: z.base64() }),
  ),
  start: z.record(z.string(), z.hash('sha256')),
  rewindSteps: count,
  found: z.strictObject({
    task: z.string(),
    data: z.string(),
    round: count,
    seed: count,
    run: z.string(),
  }),
});

export function ticketOf(
  matrices: readonly PrunableMatrix[],
  kept: KeptEntries,
  facts: Omit<Ticket, 'winnow' | 'sparsity' | 'masks'>,
): Ticket {
  const named = masksOf(matrices, kept);
  const masks = Object.fromEntries(
    matrices.flatMap((matrix): [string, ParameterMask][] => {
      const mask = named[matrix.parameter];
      return mask === undefined ? [] : [[ticketName(matrix), mask]];
    }),
  );
  const size = Object.values(masks).reduce((sum, mask) => sum + maskSize(mask), 0);
  return {
    winnow: 'ticket/1',
    sparsity: size === 0 ? 0 : maskedCount(masks) / size,
    ...facts,
    masks,
  };
}

/**
 * Reads a ticket from plain data.
 * @throws {UserError} beginning with `source`, when it is none or a mask does not fill its shape.
 */
export function parseTicket(json: unknown, source: string): Ticket {
  const parsed = ticketSchema.safeParse(json);
  if (!parsed.success) {
    const problems = parsed.error.issues.slice(0, PROBLEMS_SHOWN);
    const lines = problems.map(({ path, message }) => `  at ${path.join('.') || 'the top'}: ${message}`);
    throw new UserError(`${source} is not a ticket:\n${lines.join('\n')}`);
  }
  for (const [name, mask] of Object.entries(parsed.data.masks)) {
    try {
      entriesOfMask(mask);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new UserError(`${source}: the mask of ${name}: ${error.message}`);
    }
  }
  return parsed.data;
}

/**
 * The ticket's masks for the matrices of a model: those that the ticket does not name are whole, and what the model does
 * not have is left out, so a ticket of two towers can be trained in one of them.
 * @throws {UserError} when a matrix has another shape, or none of the model's is in the ticket.
 */
export function keptIn({ masks }: Pick<Ticket, 'masks'>, matrices: readonly PrunableMatrix[]): KeptEntries {
  const named = matrices.flatMap((matrix): [PrunableMatrix, ParameterMask][] => {
    const mask = masks[ticketName(matrix)];
    return mask === undefined ? [] : [[matrix, mask]];
  });
  if (named.length === 0) {
    throw new UserError('the ticket and the model have no matrix in common: they have other towers');
  }
  const found = named.map(([{ parameter, shape }, mask]): [string, Uint8Array] => {
    if (shape.join() !== mask.shape.join()) {
      throw new UserError(
        `the ticket's mask of ${parameter} is for [${mask.shape.join(', ')}], the model has [${shape.join(', ')}]: ` +
          'tickets are for models of one size',
      );
    }
    return [parameter, entriesOfMask(mask)];
  });
  return { ...everything(matrices), ...Object.fromEntries(found) };
}

/** Weights left of each tower and of each of its layers, as shares of what the ticket is about. */
export function keptShares({
  masks,
}: Pick<Ticket, 'masks'>): { readonly place: string; readonly kept: number }[] {
  const places = new Map<string, { kept: number; size: number }>();
  for (const [name, mask] of Object.entries(masks)) {
    const { tower, place: inTower } = ticketPlace(name);
    for (const place of [tower, `${tower} ${inTower}`]) {
      const before = places.get(place) ?? { kept: 0, size: 0 };
      places.set(place, { kept: before.kept + keptCount(mask), size: before.size + maskSize(mask) });
    }
  }
  return [...places].map(([place, { kept, size }]) => ({ place, kept: kept / size }));
}
