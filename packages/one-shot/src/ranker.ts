import {
  type Budget,
  type CompressionMethod,
  type CompressionRun,
  type Manifest,
  type Model,
  type Site,
  type UnitScores,
  columnsOf,
  defineMethod,
  pruneAtOnce,
  removalTarget,
  smallestKeep,
} from '@winnow/core';
import { type Activity, activityOf } from './activity';
import { type Scale, type Scope, calibrationShape, rankingOptions } from './options';
import { prioritiesOf } from './ranking';

/** A ranker as its author writes it: a name, where it was published, and its ranking where nothing else is asked. */
export interface Ranker {
  readonly name: string;
  readonly title: string;
  readonly paper: string;
  readonly summary: string;
  readonly scope: Scope;
  readonly scale: Scale;
}

const manifestOf = ({ name, title, paper, summary }: Ranker): Manifest => ({
  name,
  title,
  family: 'one-shot',
  paper,
  summary,
});

/** @throws {UserError} when the budget cannot be reached: one unit stays at every site. */
function smallest(model: Model, budget: Budget): number {
  removalTarget(model, budget);
  return smallestKeep(model, budget.unit);
}

const bySite = ({ model }: CompressionRun, importanceOf: (site: Site) => ArrayLike<number>): UnitScores =>
  Object.fromEntries(model.sites.map((site) => [site.id, importanceOf(site)]));

/** A method that removes the units of least importance at once, from the weights alone. */
export const weightRanker = (
  ranker: Ranker,
  importanceOf: (site: Site, run: CompressionRun) => ArrayLike<number>,
): CompressionMethod =>
  defineMethod({
    manifest: manifestOf(ranker),
    options: rankingOptions(ranker.scope, ranker.scale),
    plan: (model, budget) => ({ phases: [], smallestKeep: smallest(model, budget) }),
    compress: (run, options) => {
      const importance = bySite(run, (site) => importanceOf(site, run));
      return Promise.resolve(pruneAtOnce(run, prioritiesOf(run.model.sites, importance, options)));
    },
  });

/** A method that looks at some examples under a name, one charged pass, before it removes units at once. */
const lookingRanker = (
  ranker: Ranker,
  name: string,
  importanceOf: (run: CompressionRun, examples: number) => Promise<UnitScores>,
): CompressionMethod =>
  defineMethod({
    manifest: manifestOf(ranker),
    options: rankingOptions(ranker.scope, ranker.scale).extend(calibrationShape),
    plan: (model, budget, { calibration }) => ({
      phases: [],
      smallestKeep: smallest(model, budget),
      observations: [{ name, examples: calibration }],
    }),
    compress: async (run, { calibration, ...options }) => {
      const importance = await importanceOf(run, calibration);
      return pruneAtOnce(run, prioritiesOf(run.model.sites, importance, options));
    },
  });

/** The same from what passes the sites as examples go through the model: no labels, one forward pass. */
export const activityRanker = (
  ranker: Ranker,
  importanceOf: (columns: readonly Activity[], site: Site, run: CompressionRun) => ArrayLike<number>,
): CompressionMethod =>
  lookingRanker(ranker, 'activations', async (run, examples) => {
    const activity = await activityOf(run, examples);
    return bySite(run, (site) => importanceOf(activity.get(site.id) ?? [], site, run));
  });

/** The same from gradients of the task's loss: labels where the task has them, one forward and one backward pass. */
export const gradientRanker = (
  ranker: Ranker,
  importanceOf: (run: CompressionRun, examples: number) => Promise<UnitScores>,
): CompressionMethod => lookingRanker(ranker, 'gradients', importanceOf);

/** Σ over a site's columns that belong to one unit, [units]. */
export function sumOfCopies(site: Site, valueOf: (column: number) => number): Float64Array {
  const copies = columnsOf(site) / site.units;
  return Float64Array.from({ length: site.units }, (_, unit) => {
    let total = 0;
    for (let copy = 0; copy < copies; copy++) total += valueOf(copy * site.units + unit);
    return total;
  });
}
