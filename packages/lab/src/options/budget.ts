import { type Budget, type BudgetUnit, UserError } from '@winnow/core';
import { z } from 'zod';

/** The numbers of units that layers may keep. */
export const multipleOption = z
  .int()
  .positive()
  .max(1024)
  .describe('Widths are multiples of this, or whole: 16 and 32 suit many kernels');

const forms: readonly { readonly pattern: RegExp; keep(amount: number): number }[] = [
  { pattern: /^(\d+(?:\.\d+)?)x$/, keep: (times) => 1 / times },
  { pattern: /^(\d+(?:\.\d+)?)%$/, keep: (percent) => percent / 100 },
  { pattern: /^(\d*\.?\d+)$/, keep: (share) => share },
];

const FORMS = '2x (half as large), 50% or 0.5 (the share that is kept)';

/**
 * A budget as people write it: `2x` smaller, `50%` kept, or `0.5` kept.
 * @param flag The flag that it was given by, for messages.
 * @throws {UserError} on anything else, and on a size that is none or more than the whole.
 */
export function budgetOf(text: string | number, unit: BudgetUnit, flag = '--budget'): Budget {
  const given = String(text);
  for (const { pattern, keep } of forms) {
    const amount = pattern.exec(given)?.[1];
    if (amount === undefined) continue;
    const share = keep(Number(amount));
    if (share > 0 && share <= 1) return { unit, keep: share };
    throw new UserError(`${flag}: expected ${FORMS}, got ${given}, ${problemWith(given, share)}`);
  }
  throw new UserError(`${flag}: expected ${FORMS}, got ${JSON.stringify(text)}`);
}

/** The forms of a share that goes; a budget's are of what is kept, and `3x` would be taken for either. */
const sparsities: readonly { readonly pattern: RegExp; readonly whole: number }[] = [
  { pattern: /^(\d+(?:\.\d+)?)%$/, whole: 100 },
  { pattern: /^(\d*\.?\d+)$/, whole: 1 },
];

/**
 * A sparsity as people write it: `90%` or `0.9` of the weights are gone.
 * @throws {UserError} for anything but a share above 0 and below 1.
 */
export function sparsityOf(text: string | number): number {
  const given = String(text);
  for (const { pattern, whole } of sparsities) {
    const share = Number(pattern.exec(given)?.[1] ?? Number.NaN) / whole;
    if (share > 0 && share < 1) return share;
  }
  const isPercent = /^\d+$/.test(given) && Number(given) > 1 && Number(given) < 100;
  const meant = isPercent ? `: did you mean ${given}%?` : '';
  throw new UserError(
    `--to: expected the share of weights that goes, like 90% or 0.9, above 0 and below 100 %, got ${JSON.stringify(text)}${meant}`,
  );
}

function problemWith(given: string, share: number): string {
  if (given.endsWith('x')) {
    return Number.isFinite(share) ? 'which would be larger than the model' : 'which is no size';
  }
  if (share === 0) return 'which would keep nothing';
  return given.endsWith('%')
    ? 'which is more than the whole model'
    : `the share that is kept: did you mean ${given}x?`;
}
