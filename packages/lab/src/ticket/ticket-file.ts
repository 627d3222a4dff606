import { readJson, writeJson } from '@winnow/formats';
import { type Ticket, parseTicket } from '@winnow/lottery-ticket';
import { z } from 'zod';

/** One bit for every weight of the largest models that fit into a machine. What a ticket is, `parseTicket` knows. */
const format = { schema: z.unknown(), what: 'a ticket', mostBytes: 2 ** 29, style: 'compact' } as const;

export const writeTicket = (file: string, ticket: Ticket): Promise<void> => writeJson(file, ticket, format);

/**
 * Reads a ticket.
 * @throws {FormatError} when there is no such file, or it is not JSON. @throws {UserError} when it is no ticket.
 */
export async function readTicket(file: string): Promise<Ticket> {
  return parseTicket(await readJson(file, format), file);
}

/** Names a ticket in a table. */
export const ticketLabel = ({ found, sparsity }: Ticket): string =>
  `${found.data} ${Number((100 * sparsity).toFixed(2))} %`;
