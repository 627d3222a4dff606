import { UserError, entriesOfMask } from '@winnow/core';
import type { Ticket } from './ticket';

/** The part that two tickets have in common. */
export interface Overlap {
  /** |A ∩ B| / |A ∪ B| over kept weights (slides, Figure 8); 1 where neither keeps anything. */
  readonly shared: number;
  /** The overlap of random masks of the same sizes in expectation: ab/(a + b − ab), r/(2 − r) for a = b = r. */
  readonly random: number;
  /** The number of weights that were compared: those that both tickets are about. */
  readonly weights: number;
}

/** @throws {UserError} when two tickets are about no weights in common, or a matrix differs in shape. */
export function overlapOf(a: Pick<Ticket, 'masks'>, b: Pick<Ticket, 'masks'>): Overlap {
  const counts = { a: 0, b: 0, both: 0, weights: 0 };
  for (const [name, mask] of Object.entries(a.masks)) {
    const other = b.masks[name];
    if (other === undefined) continue;
    if (other.shape.join() !== mask.shape.join()) {
      throw new UserError(
        `the masks of ${name} differ in shape: [${mask.shape.join(', ')}] and [${other.shape.join(', ')}]`,
      );
    }
    const theirs = entriesOfMask(other);
    entriesOfMask(mask).forEach((entry, i) => {
      const their = theirs[i] ?? 0;
      counts.a += entry;
      counts.b += their;
      counts.both += entry & their;
    });
    counts.weights += theirs.length;
  }
  const { both, weights } = counts;
  if (weights === 0)
    throw new UserError('the tickets are about other weights: they have no matrix in common');
  const either = counts.a + counts.b - both;
  return {
    shared: either === 0 ? 1 : both / either,
    random: expectedOverlap(counts.a / weights, counts.b / weights),
    weights,
  };
}

/**
 * The overlap of two independent random masks that keep the shares a and b, as the ratio of expected sizes: r/(2 − r) for
 * a = b = r (shared/specs/lottery-ticket.md, Transfer).
 */
export function expectedOverlap(a: number, b: number): number {
  const either = a + b - a * b;
  return either === 0 ? 1 : (a * b) / either;
}
