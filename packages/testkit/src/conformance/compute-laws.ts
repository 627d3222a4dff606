import { type Budget, type LedgerEntry, UserError, disposeTree, stepsIn } from '@winnow/core';
import { type Laboratory, type Law, demand } from './law';
import { type Subject, batchSize, compressTiny, reachable, stepsPerEpoch } from './subject';

const twofold: Budget = { unit: 'compressible-parameters', keep: 0.5 };
/** Forward and backward cost three forward passes. */
const FORWARD_PASSES_PER_STEP = 3;

/** The laws of the compute that a method spends, as the runner measures it. */
export function computeLaws({ subject, outcomeOf }: Laboratory): Law[] {
  const { kind } = subject;
  return [
    {
      name: 'search and retraining together spend the compute they are given, to within a step of the cut model',
      check: async () => {
        const budget = reachable(subject, twofold);
        const { model, params } = kind.makeModel();
        disposeTree(params);
        const searched = spent((await outcomeOf(budget)).result.ledger.slice(0, -1));
        const computeLimit = searched + 3.5 * batchSize * FORWARD_PASSES_PER_STEP * model.account.macs;
        const { result } = await compressTiny(subject, { budget, computeLimit });
        const all = spent(result.ledger);
        const cutStep = batchSize * FORWARD_PASSES_PER_STEP * result.model.account.macs;
        demand(all <= computeLimit, `${all} training MACs were spent of ${computeLimit}`);
        demand(all + cutStep > computeLimit, `${all} of ${computeLimit} leave room for another step`);
      },
    },
    {
      name: 'a search spends compute when its plan has steps or observations; more than there is ends in an error that says so',
      check: async () => {
        const budget = reachable(subject, twofold);
        const searched = spent((await outcomeOf(budget)).result.ledger.slice(0, -1));
        const { steps, observes } = planOf(subject, budget);
        demand(
          searched > 0 === (steps > 0 || observes),
          `the plan has ${steps} steps of search and ${observes ? 'observes' : 'observes nothing'}, and ${searched} training MACs were spent`,
        );
        if (searched === 0) return;
        const error = await compressTiny(subject, { budget, computeLimit: searched / 2 }).catch(
          (error: unknown) => error,
        );
        demand(error instanceof UserError, `expected a UserError, got ${String(error)}`);
      },
    },
  ];
}

function planOf({ method, options, kind }: Subject, budget: Budget): { steps: number; observes: boolean } {
  const { model, params } = kind.makeModel();
  disposeTree(params);
  const { phases, observations = [] } = method.configure(options).plan(model, budget);
  const steps = phases.reduce((sum, { duration }) => sum + stepsIn(duration, stepsPerEpoch(kind)), 0);
  return { steps, observes: observations.length > 0 };
}

const spent = (ledger: readonly LedgerEntry[]): number =>
  ledger.reduce((sum, { trainingMacs }) => sum + trainingMacs, 0);
