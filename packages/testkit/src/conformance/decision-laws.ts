import { isDeepStrictEqual } from 'node:util';
import { type Tensor, abs, max, sub, tensor4d, tidy } from '@tensorflow/tfjs-core';
import {
  type Budget,
  type HostTensors,
  type Model,
  type TensorTree,
  budgetUnits,
  checkDecision,
  compact,
  disposeTree,
  downloadTree,
  keptUnits,
  removalTarget,
  smallestKeep,
  uploadTree,
} from '@winnow/core';
import { toyData, toyShape } from '../data/toy-data';
import { type TinyModel, tinyModel, tinyVariant } from '../model/tiny-model';
import { type Laboratory, type Law, demand, demandSame, firstDifference } from './law';
import { type Outcome, compressTiny } from './subject';

/** Each unit and each ratio; all their pairs would take three times as long. */
const budgets: readonly Budget[] = [
  { unit: 'compressible-parameters', keep: 1 / 2 },
  { unit: 'parameters', keep: 1 / 4 },
  { unit: 'macs', keep: 1 / 1.1 },
  { unit: 'macs', keep: 1 / 4 },
];
const twofold: Budget = { unit: 'compressible-parameters', keep: 0.5 };
const variantSeeds = [1, 2];

/** What holds for the decision a method finds, and for the parameters that come with it. */
export function decisionLaws({ subject, outcomeOf }: Laboratory): Law[] {
  return [
    {
      name: 'masked and cut models give the same output, and the budget is met within one unit in its own unit',
      check: async () => {
        for (const budget of budgets) await checkOutcome(tinyModel, budget, await outcomeOf(budget));
      },
    },
    {
      name: 'the same holds for models of other geometries',
      check: async () => {
        for (const seed of variantSeeds) {
          const makeModel = () => tinyVariant(seed);
          await checkOutcome(makeModel, twofold, await compressTiny(subject, { budget: twofold, makeModel }));
        }
      },
    },
    {
      name: 'every site keeps a unit, down to the smallest budget',
      check: async () => {
        const { model, params } = tinyModel();
        disposeTree(params);
        for (const unit of budgetUnits) {
          const { decision } = await outcomeOf({ unit, keep: smallestKeep(model, unit) });
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
        const { model, params } = tinyModel();
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

async function checkOutcome(makeModel: () => TinyModel, budget: Budget, outcome: Outcome): Promise<void> {
  const { model, params } = makeModel();
  const what = `${budget.unit} × ${budget.keep.toFixed(3)}`;
  checkDecision(outcome.decision, model.sites);
  demand(outcome.masked !== undefined, 'the search did not run');
  const difference = await largestDifference(model, params, outcome.masked, outcome);
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

/** Largest |Δlogit| on the toy test pictures between the masked model and what it is cut to. */
async function largestDifference(
  model: Model,
  like: TensorTree,
  maskedHost: HostTensors,
  { decision }: Outcome,
): Promise<number> {
  const batch = await toyData().test.batch(Array.from({ length: 16 }, (_, index) => index));
  const masked = uploadTree(like, maskedHost);
  const cut = compact(model, masked, decision);
  const largest = tidy((): Tensor => {
    const { imageSize, channels } = toyShape;
    const images = tensor4d(batch.images, [batch.size, imageSize, imageSize, channels]);
    return max(
      abs(sub(model.forward(masked, { images }).logits, cut.model.forward(cut.params, { images }).logits)),
    );
  });
  disposeTree(masked);
  disposeTree(cut.params);
  const [value] = await largest.data<'float32'>();
  largest.dispose();
  return value ?? Number.NaN;
}
