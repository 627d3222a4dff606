import { UserError } from '@winnow/core';
import { type Overlap, keptShares, overlapOf } from '@winnow/lottery-ticket';
import { readTicket, ticketLabel } from './ticket-file';

/** The things that lottery tickets have in common. */
export interface TicketOverlaps {
  readonly tickets: readonly string[];
  /** Every two of them, in the order of `tickets`. */
  readonly overlaps: readonly (readonly Overlap[])[];
  /** The share of each tower and layer that each ticket keeps. */
  readonly kept: readonly ReturnType<typeof keptShares>[];
}

/**
 * Compares every two tickets, beside what random masks would have in common.
 * @throws {UserError} for fewer than two, or a file that is no ticket.
 */
export async function overlapsOfTickets(files: readonly string[]): Promise<TicketOverlaps> {
  const tickets = await Promise.all(files.map(readTicket));
  if (tickets.length < 2) throw new UserError('ticket overlap: expected at least two files in --tickets');
  return {
    tickets: tickets.map(ticketLabel),
    overlaps: tickets.map((one) => tickets.map((other) => overlapOf(one, other))),
    kept: tickets.map(keptShares),
  };
}
