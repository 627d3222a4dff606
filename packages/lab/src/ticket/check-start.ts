import { UserError } from '@winnow/core';
import type { Ticket } from '@winnow/lottery-ticket';

/**
 * Checks that a ticket is trained from the weights that it was found from.
 * @throws {UserError} when a tower that both have is another one.
 */
export function checkStart(
  { start, rewindSteps }: Ticket,
  digests: Readonly<Record<string, string>>,
  from: string,
): void {
  for (const [tower, digest] of Object.entries(start)) {
    const found = digests[tower];
    if (found === undefined || found === digest) continue;
    const rewound =
      rewindSteps === 0 ? '' : ` (those after ${rewindSteps} steps, beside the ticket in start)`;
    throw new UserError(
      `the ticket is for a ${tower} tower with SHA-256 ${digest.slice(0, 12)}…${rewound}, ${from} has ${found.slice(0, 12)}…: ` +
        'start from the model that it was found from, or say --other-weights to train it from others on purpose',
    );
  }
}
