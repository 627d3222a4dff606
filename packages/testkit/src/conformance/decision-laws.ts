import { isDeepStrictEqual } from 'node:util';
import { type Tensor, abs, div, max, maximum, stack, sub, tidy } from '@tensorflow/tfjs-core';
import {
  type Budget,
  type Decision,
  type Granularity,
  type HostTensors,
  type Model,
  type Site,
  alignTrees,
  checkDecision,
  compact,
  compactModel,
  decidedSites,
  disposeTree,
  downloadTree,
  entriesOfMask,
  keptCount,
  keptUnits,
  leastKeep,
  maskedCount,
  requirement,
  sharesOf,
  uploadTree,
} from '@winnow/core';
import type { TinyKind } from '../model/tiny-kind';
import type { TinyModel } from '../model/tiny-model';
import { type Laboratory, type Law, demand, demandSame, firstDifference } from './law';
import { type Outcome, type Subject, compressTiny, granularityOf, reachable } from './subject';

/** Each unit and each ratio; all their pairs would take three times as long. */
const budgets: readonly Budget[] = [
  { unit: 'compressible-parameters', keep: 1 / 2 },
  { unit: 'parameters', keep: 1 / 4 },
  { unit: 'macs', keep: 1 / 1.1, multiple: 2 },
  { unit: 'macs', keep: 1 / 4 },
];
const twofold: Budget = { unit: 'compressible-parameters', keep: 0.5 };
/** One for each kind of model: others are drawn by tests of the core. */
const variantSeed = 1;

/** The laws of the decision that a method finds, and of the parameters that come with it. */
export function decisionLaws({ subject, outcomeOf }: Laboratory): Law[] {
  const { kind } = subject;
  const possible = (budget: Budget, makeModel = kind.makeModel) => reachable(subject, budget, makeModel);
  return [
    {
      name: 'masked and cut models give the same output, and the budget is met within one unit in its own unit',
      check: async () => {
        for (const asked of budgets.filter(({ unit }) => subject.units.includes(unit))) {
          const budget = possible(widthsAt(subject, asked));
          const outcome = await outcomeOf(budget);
          await checkOutcome(subject, kind.makeModel(), budget, outcome);
          checkWidths(kind.makeModel(), budget, outcome.decision);
        }
      },
    },
    {
      name: 'the same holds for a model of another geometry',
      check: async () => {
        const makeModel = () => kind.makeVariant(variantSeed);
        const budget = possible(twofold, makeModel);
        const outcome = await compressTiny(subject, { budget, makeModel });
        await checkOutcome(subject, makeModel(), budget, outcome);
      },
    },
    {
      name: 'the smallest budget of the plan can be reached, and every site keeps a unit, or the model a weight',
      check: async () => {
        const { model, params } = kind.makeModel();
        disposeTree(params);
        for (const unit of subject.units) {
          const budget = possible({ unit, keep: 0 });
          const outcome = await outcomeOf(budget);
          const { decision } = outcome;
          await checkOutcome(subject, kind.makeModel(), budget, outcome);
          const granularity = granularityOf(subject, model);
          const isLeast = budget.keep <= leastKeep(model, unit, granularity);
          for (const { place, left } of leftAt(model, decision, granularity)) {
            demand(
              isLeast ? left === 1 : left >= 1,
              `${place} keeps ${left} at the smallest budget of ${unit}`,
            );
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
        demand(maskedCount(decision.masks ?? {}) === 0, 'single weights are masked');
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
      },
    },
    ...(subject.isRandom ? [randomLaw(subject, outcomeOf)] : []),
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

/** The same budget without a multiple, where no width is decided about: whole blocks go or stay. */
function widthsAt(subject: Subject, { multiple, ...budget }: Budget): Budget {
  const { model, params } = subject.kind.makeModel();
  disposeTree(params);
  return granularityOf(subject, model) === 'blocks' ? budget : { ...budget, multiple };
}

/** Widths are multiples of what was asked for, or whole. */
function checkWidths({ model, params }: TinyModel, { multiple = 1 }: Budget, decision: Decision): void {
  disposeTree(params);
  for (const site of decidedSites(model, decision)) {
    const left = unitsLeft(decision, site);
    const isWidth = site.whole !== undefined || left === site.units || left % multiple === 0;
    demand(isWidth, `${site.id} keeps ${left} units, which is no multiple of ${multiple}`);
  }
}

/** For methods that draw their decisions. */
const randomLaw = (subject: Subject, outcomeOf: Laboratory['outcomeOf']): Law => ({
  name: 'another seed gives another decision',
  check: async () => {
    const first = await outcomeOf(twofold);
    const other = await compressTiny(subject, { budget: twofold, seed: 8 });
    demand(
      !isDeepStrictEqual(other.decision, first.decision),
      'another seed gives the same decision, though the method is random',
    );
  },
});

/** The tiny model is the one that was compressed, made again; its parameters are disposed. */
async function checkOutcome(
  subject: Subject,
  { model, params }: TinyModel,
  budget: Budget,
  outcome: Outcome,
): Promise<void> {
  const what = `${budget.unit} × ${budget.keep.toFixed(3)}`;
  checkDecision(outcome.decision, model.sites);
  demand(outcome.masked !== undefined, 'the search did not run');
  const difference = await largestDifference(subject.kind, { model, params }, outcome.masked, outcome);
  disposeTree(params);
  demand(difference < 1e-5, `${what}: cutting the masked model changes what it predicts by ${difference}`);

  // Measured on the models themselves, independently of the costs that the decision was made by.
  const small = compactModel(model, outcome.decision).account;
  const measure = budget.unit === 'macs' ? 'macs' : 'parameters';
  const removed = model.account[measure] - small[measure];
  const { amount, step } = requirement(model, budget, granularityOf(subject, model));
  demand(
    removed >= amount * (1 - 1e-6) && removed <= amount + step,
    `${what}: ${removed} were removed, the budget asks for ${amount} to ${amount + step}`,
  );
  for (const [path, mask] of Object.entries(outcome.decision.masks ?? {})) {
    const trained = outcome.params.get(path)?.values ?? [];
    const revived = entriesOfMask(mask).findIndex((kept, i) => kept === 0 && !Object.is(trained[i], 0));
    demand(revived < 0, `${what}: weight ${revived} of ${path} is masked, but not 0 after retraining`);
  }
}

/** The numbers that are left of what is decided about, where at least one has to be. */
function leftAt(
  model: Model,
  decision: Decision,
  granularity: Granularity,
): { readonly place: string; readonly left: number }[] {
  switch (granularity) {
    case 'units':
    case 'heads':
      return decidedSites(model, decision).map((site) => ({
        place: site.id,
        left: unitsLeft(decision, site),
      }));
    case 'blocks':
      return Object.entries(decision.blocks ?? {}).map(([place, { kept }]) => ({ place, left: kept.length }));
    case 'weights': {
      const masks = Object.values(decision.masks ?? {});
      return [{ place: 'the model', left: masks.reduce((sum, mask) => sum + keptCount(mask), 0) }];
    }
    default:
      return granularity satisfies never;
  }
}

/** Units that stay at a site; where columns are decided about one by one, the fewest that are left of any name. */
function unitsLeft(decision: Decision, site: Site): number {
  const share = sharesOf(decision).get(site.id);
  if (share === undefined) return keptUnits(decision, site).length;
  const left = Object.values(share.columns).map(
    (letters) => [...letters].filter((each) => each !== 'p').length,
  );
  return Math.min(...left);
}

/**
 * Largest difference on a batch of the toy test split between what the masked model predicts and what it is cut to does,
 * relative to the largest number of the same tensor where that is above 1.
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
    const before = taskOf(model).predict(masked, batch);
    const after = taskOf(cut.model).predict(cut.params, batch);
    const differences = alignTrees(before, after).map(({ leaves: [own, other] }) =>
      div(max(abs(sub(own, other))), maximum(1, max(abs(own)))),
    );
    return max(stack(differences));
  });
  disposeTree(masked);
  disposeTree(cut.params);
  const [value] = await largest.data<'float32'>();
  largest.dispose();
  return value ?? Number.NaN;
}
