import { type Budget, type BudgetUnit, UserError } from '@winnow/core';

const forms: readonly { readonly pattern: RegExp; keep(amount: number): number }[] = [
  { pattern: /^(\d+(?:\.\d+)?)x$/, keep: (times) => 1 / times },
  { pattern: /^(\d+(?:\.\d+)?)%$/, keep: (percent) => percent / 100 },
  { pattern: /^(\d*\.?\d+)$/, keep: (share) => share },
];

/**
 * A budget as people write it: `2x` smaller, `50%` kept, or `0.5` kept.
 * @throws {UserError} on anything else.
 */
export function budgetOf(text: string | number, unit: BudgetUnit): Budget {
  for (const { pattern, keep } of forms) {
    const amount = pattern.exec(String(text))?.[1];
    if (amount !== undefined) return { unit, keep: keep(Number(amount)) };
  }
  throw new UserError(`budget: expected 2x, 50% or 0.5 (the share kept), got ${JSON.stringify(text)}`);
}
