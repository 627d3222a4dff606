import { type Budget, type Model, UserError, removalTarget } from '@winnow/core';
import { denseParameters } from './count';
import { leastStored } from './groups';
import type { Pairing } from './pairing';

type Budgeted = { readonly model: Model; readonly budget: Budget };

/** Rounding of shares and sums, far below one column. */
const ROUNDING = 5e-7;

/** Parameters of attention and feed-forward sub-layers that the budget allows to be stored. */
export function storedTarget({ model, budget }: Budgeted, pairing: Pairing): number {
  return denseParameters(pairing) - removalTarget(model, budget).amount * (1 - ROUNDING);
}

/** The smallest share of the budget's unit that is left when so many parameters of the sub-layers are stored. */
export function shareLeft({ model, budget }: Budgeted, pairing: Pairing, stored: number): number {
  const dense = denseParameters(pairing);
  const whole = budget.unit === 'parameters' ? model.account.parameters : dense;
  return 1 - (dense - stored) / whole;
}

/**
 * The smallest share that sharing and pruning can reach.
 * @throws {UserError} when the budget asks for less, or counts what sharing does not save.
 */
export function checkReachable(budgeted: Budgeted, pairing: Pairing): number {
  const { budget } = budgeted;
  refuseUnsaved(budget);
  const least = shareLeft(budgeted, pairing, leastStored(pairing));
  if (budget.keep < least) {
    const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
    throw new UserError(
      `a budget of ${percent(budget.keep)} of the ${budget.unit} cannot be reached: values and output projections are not ` +
        `pruned, so sharing and pruning here leave ${percent(least)} at least`,
    );
  }
  return least;
}

/** @throws {UserError} when the budget counts multiply–accumulates, or asks for multiples of widths. */
export function refuseUnsaved({ unit, multiple = 1 }: Budget): void {
  if (multiple !== 1) {
    throw new UserError(
      `columns are shared or pruned one by one, and products stay as wide as they are: widths that are multiples of ${multiple} have no use`,
    );
  }
  if (unit === 'macs') {
    throw new UserError(
      'sharing saves stored parameters and no multiply–accumulates: count compressible-parameters or parameters',
    );
  }
}
