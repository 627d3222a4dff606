import { UserError, parseOptions } from '@winnow/core';
import { listed, pathOption, readTicket, ticketLabel } from '@winnow/lab';
import { keptShares, overlapOf } from '@winnow/lottery-ticket';
import { z } from 'zod';
import { print } from '../terminal/terminal';
import { overlapReport } from '../terminal/report/ticket-report';
import type { Command } from './command';

const options = z.object({
  tickets: pathOption('files').default('').describe('Ticket files, separated by commas'),
  json: z.boolean().default(false).describe('For programs'),
});
const title = 'Options of ticket overlap';

export const ticketOverlapCommand: Command = {
  name: 'ticket overlap',
  summary: 'How much lottery tickets have in common, beside what random masks would have',
  startsRun: false,
  groups: () => [{ title, schema: options }],
  run: async ({ given, terminal }) => {
    const { tickets: files, json } = parseOptions(options, given, title);
    const tickets = await Promise.all(listed(files).map(readTicket));
    if (tickets.length < 2) throw new UserError('ticket overlap: expected at least two files in --tickets');
    const labels = tickets.map(ticketLabel);
    const overlaps = tickets.map((one) => tickets.map((other) => overlapOf(one, other)));
    const kept = tickets.map(keptShares);
    print(
      terminal.stdout,
      json
        ? JSON.stringify({ tickets: labels, overlaps, kept }, undefined, 2)
        : overlapReport(labels, overlaps, kept),
    );
  },
};
