import {
  type Budget,
  type CompressionMethod,
  type Duration,
  type Manifest,
  type Model,
  type Plan,
  type UnitGrain,
  UserError,
  defineMethod,
  granularityOf,
  removalTarget,
  sitesOf,
  smallestKeep,
} from '@winnow/core';
import { startFromScratch } from './from-scratch';
import { pruneByMagnitude } from './magnitude';
import {
  fromScratchOptions,
  magnitudeOptions,
  randomOptions,
  straightThroughOptions,
  trainedMaskOptions,
  upopOptions,
} from './options';
import { pruneAtRandom } from './random';
import { searchStraightThrough } from './straight-through';
import { searchByTrainedMasks } from './trained-masks';
import { searchProgressively } from './upop';

const paper =
  'Shi et al., UPop: Unified and Progressive Pruning for Compressing Vision-Language Transformers, ICML 2023';

const manifest = (name: string, title: string, summary: string): Manifest => ({
  name,
  title,
  family: 'upop',
  paper,
  summary,
});

/** Every method of the family can reach the same budgets: one unit must stay at every site. */
function planAtOnce(model: Model, budget: Budget, units: UnitGrain = 'dimensions'): Plan {
  const sites = sitesOf(model, units);
  removalTarget(model, budget, sites);
  return {
    phases: [],
    smallestKeep: smallestKeep(model, budget, sites),
    granularity: granularityOf(units),
  };
}

/** @throws {UserError} for whole blocks: what a block adds is no sum of what its parts weigh. */
function checkWeighed(units: UnitGrain): void {
  if (units === 'blocks')
    throw new UserError(
      'magnitude cannot rank whole blocks, whose weights say little of what they add: it ranks dimensions and heads. Gradients can (taylor, fisher, mask-fisher), and block-influence',
    );
}

/** @throws {UserError} when there is nothing to search in, or the budget cannot be reached. */
function planSearch(model: Model, budget: Budget, search: Duration, units?: UnitGrain): Plan {
  if (isNothing(search)) {
    throw new UserError(
      `expected a search of at least one iteration, got ${search}: its masks would never move`,
    );
  }
  return { ...planAtOnce(model, budget, units), phases: [{ name: 'search', duration: search }] };
}

const isNothing = (duration: Duration): boolean => Number.parseFloat(duration) === 0;

/** UPop and its baselines, in the order of the paper's tables. */
export const upopMethods: readonly CompressionMethod[] = [
  defineMethod({
    manifest: manifest(
      'upop',
      'UPop',
      'accumulated mask gradients, one ranking over everything, masks shrunk progressively to zero',
    ),
    options: upopOptions,
    plan: (model, budget, { search }) => planSearch(model, budget, search),
    compress: searchProgressively,
  }),
  defineMethod({
    manifest: manifest(
      'unified',
      'Unified pruning',
      'trained masks, one ranking over everything, cut at the end',
    ),
    options: trainedMaskOptions,
    plan: (model, budget, { search }) => planSearch(model, budget, search),
    compress: (run, options) => searchByTrainedMasks(run, options, 'unified'),
  }),
  defineMethod({
    manifest: manifest(
      'mask-based',
      'Mask-based pruning',
      'trained masks, the same share of every site, cut at the end',
    ),
    options: trainedMaskOptions,
    plan: (model, budget, { search }) => planSearch(model, budget, search),
    compress: (run, options) => searchByTrainedMasks(run, options, 'within-sites'),
  }),
  defineMethod({
    manifest: manifest(
      'unified-ste',
      'Unified pruning, iterative',
      'unified, binarised in rounds, straight-through',
    ),
    options: straightThroughOptions,
    plan: (model, budget, { search }) => planSearch(model, budget, search),
    compress: (run, options) => searchStraightThrough(run, options, 'unified'),
  }),
  defineMethod({
    manifest: manifest(
      'mask-based-ste',
      'Mask-based pruning, iterative',
      'mask-based, binarised in rounds, straight-through',
    ),
    options: straightThroughOptions,
    plan: (model, budget, { search }) => planSearch(model, budget, search),
    compress: (run, options) => searchStraightThrough(run, options, 'within-sites'),
  }),
  defineMethod({
    manifest: manifest(
      'magnitude',
      'Magnitude pruning',
      'units of smallest weight norm, at once or in rounds',
    ),
    options: magnitudeOptions,
    plan: (model, budget, { search, units }) => {
      checkWeighed(units);
      return isNothing(search) ? planAtOnce(model, budget, units) : planSearch(model, budget, search, units);
    },
    compress: pruneByMagnitude,
  }),
  defineMethod({
    manifest: manifest('random', 'Random pruning', 'random units at the same budget: the control'),
    options: randomOptions,
    plan: (model, budget, { units }) => planAtOnce(model, budget, units),
    compress: (run, options) => Promise.resolve(pruneAtRandom(run, options)),
  }),
  defineMethod({
    manifest: manifest(
      'from-scratch',
      'Small model from scratch',
      'fresh parameters at uniform widths, trained as long as you let it retrain: the control without a dense model',
    ),
    options: fromScratchOptions,
    plan: (model, budget) => planAtOnce(model, budget),
    compress: (run) => Promise.resolve(startFromScratch(run)),
  }),
];
