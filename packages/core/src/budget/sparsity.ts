import { UserError } from '../error/user-error';
import type { Model } from '../families/model';
import type { Budget, BudgetUnit } from './budget';
import { type PrunableMatrix, prunableMatrices, weightCount } from './matrices';

/** A budget made concrete for a method that takes single weights away. */
export interface SparsityTarget {
  /** The number of weights that must go, as a real number: the next whole number is enough. */
  readonly amount: number;
  /** All of what the budget counts, in the dense model. */
  readonly total: number;
  /** The matrices that can be pruned. */
  readonly matrices: readonly PrunableMatrix[];
}

/** Units that a mask of single weights can be counted in: it takes parameters away, and no multiply–accumulates. */
export const sparsityUnits = [
  'compressible-parameters',
  'parameters',
] as const satisfies readonly BudgetUnit[];

type Described = Pick<Model, 'sites' | 'specs' | 'account' | 'readout'>;

/**
 * Computes how many weights masks have to remove to meet a budget. Compressible are the weights of the prunable
 * matrices, without biases: (1 − keep) is the sparsity that papers on lottery tickets report.
 * @throws {UserError} for a budget in MACs or in multiples of widths, a share that is not in (0, 1] or that leaves no weight at all, and a model
 * without anything to prune.
 */
export function sparsityTarget(model: Described, { unit, keep, multiple = 1 }: Budget): SparsityTarget {
  if (multiple !== 1)
    throw new UserError(
      `a mask of single weights leaves every width as it is: multiples of ${multiple} have no use. Choose a method that cuts whole units.`,
    );
  const least = smallestSparseKeep(model, unit);
  if (!(keep > 0 && keep <= 1)) {
    throw new UserError(`expected a budget that keeps more than 0 and at most 1 of the ${unit}, got ${keep}`);
  }
  if (keep < least) {
    throw new UserError(
      `a budget of ${(100 * keep).toFixed(4)} % of the ${unit} cannot be reached by masking weights: one of them and all ` +
        `that is not pruned stay, which leaves ${(100 * least).toFixed(4)} %. Ask for at least that.`,
    );
  }
  const matrices = prunableMatrices(model);
  const total = unit === 'parameters' ? model.account.parameters : weightCount(matrices);
  return { amount: (1 - keep) * total, total, matrices };
}

/**
 * The smallest share that masks can reach, one weight staying.
 * @throws {UserError} for a unit that masks do not change, and a model without anything to prune.
 */
export function smallestSparseKeep(model: Described, unit: BudgetUnit): number {
  const weights = weightCount(prunableMatrices(model));
  if (weights === 0) {
    throw new UserError(
      'this model has no weights that can be masked: it has masks or shared columns already, so start from the dense model',
    );
  }
  switch (unit) {
    case 'compressible-parameters':
      return 1 / weights;
    case 'parameters':
      return 1 - (weights - 1) / model.account.parameters;
    case 'macs':
      throw new UserError(
        'a mask of single weights removes parameters and no multiply–accumulates: the matrix products stay as large as ' +
          `they are. Ask for a budget in ${sparsityUnits.join(' or ')}, or choose a method that cuts whole units.`,
      );
    default:
      return unit satisfies never;
  }
}
