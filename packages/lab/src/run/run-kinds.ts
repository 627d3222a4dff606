import type { RunCommand } from '../identity/identify';
import { findTicketsRun } from '../ticket/find-run';
import { trainTicketRun } from '../ticket/train-run';
import { transferTicketsRun } from '../ticket/transfer-run';
import { compressRun } from './compress';
import { trainRun } from './train';

/** Every kind of run, by the command that begins it. */
export const runKinds = {
  train: trainRun,
  compress: compressRun,
  'ticket find': findTicketsRun,
  'ticket train': trainTicketRun,
  'ticket transfer': transferTicketsRun,
} as const satisfies Readonly<Record<RunCommand, unknown>>;
