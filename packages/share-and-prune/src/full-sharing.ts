import { tensor1d } from '@tensorflow/tfjs-core';
import { type Compressed, type CompressionRun, UserError, cloneTree, tidyTree } from '@winnow/core';
import type { Budget, Model } from '@winnow/core';
import { decisionOf } from './commit';
import { denseParameters } from './count';
import { effectiveWeights } from './effective-weights';
import type { Choices } from './groups';
import { asVector, layoutOf, vectorSizes } from './layout';
import type { Pairing } from './pairing';
import { refuseUnsaved, shareLeft } from './target';

/** Everything that may be borrowed is; nothing is pruned. */
function sharedChoices({ subLayers }: Pairing): Choices {
  return Object.fromEntries(
    subLayers.map((subLayer) => {
      const { share, keep } = vectorSizes(subLayer);
      const isOwn = subLayer.lender === undefined ? 1 : 0;
      return [subLayer.id, { share: new Uint8Array(share).fill(isOwn), keep: new Uint8Array(keep).fill(1) }];
    }),
  );
}

/** Parameters that full sharing stores: all of text, and of vision the output projections. */
const sharedParameters = ({ subLayers }: Pairing): number =>
  subLayers.reduce((total, { kinds, columns, alwaysStored, lender }) => {
    const own = kinds.reduce((sum, { size }) => sum + size * columns, 0);
    return total + alwaysStored + (lender === undefined ? own : 0);
  }, 0);

/** Full sharing has one size; a budget may be told to two digits of its percentage. */
const TOLERANCE = 1e-4;

/**
 * The share that full sharing leaves.
 * @throws {UserError} when the budget is another one.
 */
export function checkFullSharing(model: Model, budget: Budget, pairing: Pairing): number {
  refuseUnsaved(budget);
  const left = shareLeft({ model, budget }, pairing, sharedParameters(pairing));
  const beyond = budget.keep - left;
  if (budget.keep !== 1 && !(beyond >= -1e-9 && beyond <= TOLERANCE)) {
    const needed = Math.ceil(left * 1e4) / 1e4;
    throw new UserError(
      `full sharing leaves ${(100 * left).toFixed(2)} % of the ${budget.unit}, neither more nor less: ask for --budget ${needed}`,
    );
  }
  return left;
}

/** FS: vision uses the text tower's columns from the start (Table 1); there is nothing to search for. */
export function shareFully({ model, params }: CompressionRun, pairing: Pairing): Compressed {
  const choices = sharedChoices(pairing);
  const dense = denseParameters(pairing);
  const layout = layoutOf(pairing);
  return {
    params: tidyTree(() => cloneTree(effectiveWeights(params, tensor1d(asVector(choices, layout)), layout))),
    decision: decisionOf(pairing, choices, model.sites),
    findings: { parameters: { dense, stored: sharedParameters(pairing) } },
  };
}
