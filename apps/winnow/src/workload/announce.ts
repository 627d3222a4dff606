import { type Terminal, print } from '../terminal/terminal';
import type { Workload } from './workload';

const counted = (number: number): string => number.toLocaleString('en');

/** Says which data was found, before anything is done with it: how much of it, and what was passed over. */
export function announceData({ facts, notes }: Pick<Workload, 'facts' | 'notes'>, terminal: Terminal): void {
  const { name, classes, train, validation, test } = facts;
  const of = classes === undefined ? 'pictures with texts' : `pictures of ${counted(classes)} classes`;
  print(
    terminal.stderr,
    `${name}: ${counted(train)} for training, ${counted(validation)} for validation, ${counted(test)} for the test: ${of}`,
  );
  for (const note of notes) print(terminal.stderr, `${name}: ${note}`);
}
