import { parseOptions } from '@winnow/core';
import { listed, overlapsOfTickets, pathOption } from '@winnow/lab';
import { z } from 'zod';
import { overlapReport } from '../terminal/report/ticket-report';
import { print } from '../terminal/terminal';
import type { Command } from './command';
import { jsonShape } from './json';

const options = z.object({
  tickets: pathOption('files').default('').describe('Ticket files, separated by commas'),
  ...jsonShape,
});
const title = 'Options of ticket overlap';

export const ticketOverlapCommand: Command = {
  name: 'ticket overlap',
  summary: 'How much lottery tickets have in common, beside what random masks would have',
  startsRun: false,
  groups: () => [{ title, schema: options }],
  run: async ({ given, terminal }) => {
    const { tickets, json } = parseOptions(options, given, title);
    const found = await overlapsOfTickets(listed(tickets));
    print(terminal.stdout, json ? JSON.stringify(found, undefined, 2) : overlapReport(found));
  },
};
