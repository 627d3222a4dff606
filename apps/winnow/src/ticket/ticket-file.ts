import { readFile } from 'node:fs/promises';
import { UserError } from '@winnow/core';
import { writeAtomically } from '@winnow/formats';
import { type Ticket, parseTicket } from '@winnow/lottery-ticket';

export async function writeTicket(file: string, ticket: Ticket): Promise<void> {
  await writeAtomically(file, `${JSON.stringify(ticket)}\n`);
}

/** @throws {UserError} when there is no such file, or it is no ticket. */
export async function readTicket(file: string): Promise<Ticket> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(
      `expected a ticket, a JSON file that winnow ticket find wrote, at ${file}: ${reason}`,
    );
  }
  return parseTicket(json, file);
}

/** What a ticket is called in a table. */
export const ticketLabel = ({ found, sparsity }: Ticket): string =>
  `${found.data} ${Number((100 * sparsity).toFixed(2))} %`;
