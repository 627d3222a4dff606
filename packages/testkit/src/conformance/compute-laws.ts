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
      name: 'a search spends compute when its plan has steps; more than there is ends in an error that says so',
      check: async () => {
        const budget = reachable(subject, twofold);
        const searched = spent((await outcomeOf(budget)).result.ledger.slice(0, -1));
        const planned = plannedSteps(subject, budget);
        demand(
          searched > 0 === planned > 0,
          `the plan has ${planned} steps of search, and ${searched} training MACs were spent on them`,
        );
        if (planned === 0) return;
        const error = await compressTiny(subject, { budget, computeLimit: searched / 2 }).catch(
          (error: unknown) => error,
        );
        demand(error instanceof UserError, `expected a UserError, got ${String(error)}`);
      },
    },
  ];
}

function plannedSteps({ method, options, kind }: Subject, budget: Budget): number {
  const { model, params } = kind.makeModel();
  disposeTree(params);
  const { phases } = method.configure(options).plan(model, budget);
  return phases.reduce((sum, { duration }) => sum + stepsIn(duration, stepsPerEpoch(kind)), 0);
}

const spent = (ledger: readonly LedgerEntry[]): number =>
  ledger.reduce((sum, { trainingMacs }) => sum + trainingMacs, 0);
