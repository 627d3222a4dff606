import { isDeepStrictEqual } from 'node:util';
import { type Tensor, abs, div, max, maximum, sub, tidy } from '@tensorflow/tfjs-core';
import {
  type Budget,
  type HostTensors,
  checkDecision,
  compact,
  disposeTree,
  downloadTree,
  keptUnits,
  removalTarget,
  smallestKeep,
  uploadTree,
} from '@winnow/core';
import type { TinyKind } from '../model/tiny-kind';
import type { TinyModel } from '../model/tiny-model';
import { type Laboratory, type Law, demand, demandSame, firstDifference } from './law';
import { type Outcome, compressTiny, reachable } from './subject';

/** Each unit and each ratio; all their pairs would take three times as long. */
const budgets: readonly Budget[] = [
  { unit: 'compressible-parameters', keep: 1 / 2 },
  { unit: 'parameters', keep: 1 / 4 },
  { unit: 'macs', keep: 1 / 1.1 },
  { unit: 'macs', keep: 1 / 4 },
];
const twofold: Budget = { unit: 'compressible-parameters', keep: 0.5 };
/** One for each kind of model: others are drawn by tests of the core. */
const variantSeed = 1;

/** What holds for the decision a method finds, and for the parameters that come with it. */
export function decisionLaws({ subject, outcomeOf }: Laboratory): Law[] {
  const { kind } = subject;
  const possible = (budget: Budget, makeModel = kind.makeModel) => reachable(subject, budget, makeModel);
  return [
    {
      name: 'masked and cut models give the same output, and the budget is met within one unit in its own unit',
      check: async () => {
        for (const asked of budgets.filter(({ unit }) => subject.units.includes(unit))) {
          const budget = possible(asked);
          await checkOutcome(kind, kind.makeModel(), budget, await outcomeOf(budget));
        }
      },
    },
    {
      name: 'the same holds for a model of another geometry',
      check: async () => {
        const makeModel = () => kind.makeVariant(variantSeed);
        const budget = possible(twofold, makeModel);
        const outcome = await compressTiny(subject, { budget, makeModel });
        await checkOutcome(kind, makeModel(), budget, outcome);
      },
    },
    {
      name: 'the smallest budget of the plan can be reached, and every site keeps a unit',
      check: async () => {
        const { model, params } = kind.makeModel();
        disposeTree(params);
        for (const unit of subject.units) {
          const budget = possible({ unit, keep: 0 });
          const outcome = await outcomeOf(budget);
          const { decision } = outcome;
          await checkOutcome(kind, kind.makeModel(), budget, outcome);
          if (budget.keep > smallestKeep(model, unit)) continue;
          for (const site of model.sites) {
            const left = keptUnits(decision, site).length;
            demand(left === 1, `${site.id} keeps ${left} units at the smallest budget of ${unit}`);
          }
        }
      },
    },
    {
      name: 'a budget of everything is the identity',
      check: async () => {
        const { decision, result, masked } = await outcomeOf({ ...twofold, keep: 1 });
        const { model, params } = kind.makeModel();
        const dense = await downloadTree(params);
        disposeTree(params);
        for (const site of model.sites) {
          const { length } = keptUnits(decision, site);
          demand(length === site.units, `${site.id} keeps ${length} of ${site.units} units`);
        }
        demand(result.achieved.removed === 0, `${result.achieved.removed} are reported as removed`);
        demand(isDeepStrictEqual(result.scores.cut, result.scores.dense), 'the scores have changed');
        const changed = masked === undefined ? undefined : firstDifference(masked, dense);
        demand(changed === undefined, `${changed ?? ''} has changed`);
      },
    },
    {
      name: 'the same seed gives the same decision and the same bytes',
      check: async () => {
        const first = await outcomeOf(twofold);
        demandSame(await compressTiny(subject, { budget: twofold }), first, 'run a second time');
        if (!subject.isRandom) return;
        const other = await compressTiny(subject, { budget: twofold, seed: 8 });
        demand(
          !isDeepStrictEqual(other.decision, first.decision),
          'another seed gives the same decision, though the method is random',
        );
      },
    },
    {
      name: 'the decision is plain data',
      check: async () => {
        const { decision } = await outcomeOf(twofold);
        const copy: unknown = JSON.parse(JSON.stringify(decision));
        demand(isDeepStrictEqual(copy, decision), 'the decision does not survive JSON');
      },
    },
  ];
}

/** The tiny model is the one that was compressed, made again; its parameters are disposed. */
async function checkOutcome(
  kind: TinyKind,
  { model, params }: TinyModel,
  budget: Budget,
  outcome: Outcome,
): Promise<void> {
  const what = `${budget.unit} × ${budget.keep.toFixed(3)}`;
  checkDecision(outcome.decision, model.sites);
  demand(outcome.masked !== undefined, 'the search did not run');
  const difference = await largestDifference(kind, { model, params }, outcome.masked, outcome);
  disposeTree(params);
  demand(difference < 1e-5, `${what}: cutting the masked model changes its logits by ${difference}`);

  // Measured on the models themselves, independently of the costs that the decision was made by.
  const small = model.shrink(outcome.decision).account;
  const measure = budget.unit === 'macs' ? 'macs' : 'parameters';
  const removed = model.account[measure] - small[measure];
  const { amount, costOf } = removalTarget(model, budget);
  const unit = Math.max(...model.sites.map(costOf));
  demand(
    removed >= amount * (1 - 1e-6) && removed <= amount + unit,
    `${what}: ${removed} were removed, the budget asks for ${amount} to ${amount + unit}`,
  );
}

/**
 * Largest |Δlogit| on a batch of the toy test split between the masked model and what it is cut to, relative to the
 * largest logit where that is above 1.
 */
async function largestDifference(
  { data, taskOf }: TinyKind,
  { model, params }: TinyModel,
  maskedHost: HostTensors,
  { decision }: Outcome,
): Promise<number> {
  const batch = await data.test.batch(Array.from({ length: 16 }, (_, index) => index));
  const masked = uploadTree(params, maskedHost);
  const cut = compact(model, masked, decision);
  const largest = tidy((): Tensor => {
    const before = taskOf(model).predict(masked, batch).logits;
    const after = taskOf(cut.model).predict(cut.params, batch).logits;
    return div(max(abs(sub(before, after))), maximum(1, max(abs(before))));
  });
  disposeTree(masked);
  disposeTree(cut.params);
  const [value] = await largest.data<'float32'>();
  largest.dispose();
  return value ?? Number.NaN;
}
