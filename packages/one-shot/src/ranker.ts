import {
  type Budget,
  type CompressionMethod,
  type CompressionRun,
  type Manifest,
  type Model,
  type Plan,
  type Site,
  type SiteCurve,
  type UnitScores,
  allocateUnits,
  budgetOfSites,
  columnsOf,
  countedCosts,
  defineMethod,
  keepMostImportant,
  pruneAtOnce,
  pruneTo,
  removalTarget,
  siteCurves,
  siteLooks,
  smallestKeep,
} from '@winnow/core';
import { type Activity, activityOf } from './activity';
import { type RankingOptions, type Scale, type Scope, rankingOptions } from './options';
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

type Curves = ReadonlyMap<string, SiteCurve>;

/** A ranking as it is made, and what it looks at. */
interface Ranking {
  /** Observations of its own, by name. */
  readonly looks: readonly string[];
  /** Whether it is made of error curves, which then are there anyway. */
  readonly readsCurves?: true;
  importanceOf(run: CompressionRun, examples: number, curves: Curves): Promise<UnitScores>;
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

function rankerOf(ranker: Ranker, { looks, readsCurves, importanceOf }: Ranking): CompressionMethod {
  const readsCurvesFor = ({ scope }: RankingOptions) => readsCurves === true || scope === 'allocated';
  return defineMethod({
    manifest: manifestOf(ranker),
    options: rankingOptions(ranker.scope, ranker.scale),
    plan: (model, budget, options): Plan => {
      const names = [...(readsCurvesFor(options) ? siteLooks(options.measure) : []), ...looks];
      return {
        phases: [],
        smallestKeep: smallest(model, budget),
        observations: names.map((name) => ({ name, examples: options.calibration })),
      };
    },
    compress: async (run, options) => {
      const { calibration, measure, scope } = options;
      const curves = readsCurvesFor(options)
        ? await siteCurves(run, calibration, measure)
        : new Map<string, SiteCurve>();
      const importance = await importanceOf(run, calibration, curves);
      return scope === 'allocated'
        ? pruneTo(run, allocated(run, importance, curves))
        : pruneAtOnce(run, prioritiesOf(run.model.sites, importance, { ...options, scope }));
    },
  });
}

/** As many units of each site as lose least together; of each those of most importance. */
function allocated({ model, budget }: CompressionRun, importance: UnitScores, curves: Curves) {
  const { sites } = model;
  const { unit, keep } = budget;
  const costs = countedCosts(model, unit);
  const { kept } = allocateUnits(sites, {
    curves: new Map([...curves].map(([id, { best }]) => [id, best])),
    multiple: 1,
    costOf: costs.costOf,
    budget: budgetOfSites(sites, costs, { keep, what: unit }),
  });
  return keepMostImportant(sites, importance, kept);
}

/** A method that removes the units of least importance at once, from the weights alone. */
export const weightRanker = (
  ranker: Ranker,
  importanceOf: (site: Site, run: CompressionRun) => ArrayLike<number>,
): CompressionMethod =>
  rankerOf(ranker, {
    looks: [],
    importanceOf: (run) => Promise.resolve(bySite(run, (site) => importanceOf(site, run))),
  });

/** The same from what passes the sites as examples go through the model: no labels, one forward pass. */
export const activityRanker = (
  ranker: Ranker,
  importanceOf: (columns: readonly Activity[], site: Site, run: CompressionRun) => ArrayLike<number>,
): CompressionMethod =>
  rankerOf(ranker, {
    looks: ['activations'],
    importanceOf: async (run, examples) => {
      const activity = await activityOf(run, examples);
      return bySite(run, (site) => importanceOf(activity.get(site.id) ?? [], site, run));
    },
  });

/** The same from gradients of the task's loss: labels where the task has them, one forward and one backward pass. */
export const gradientRanker = (
  ranker: Ranker,
  importanceOf: (run: CompressionRun, examples: number) => Promise<UnitScores>,
): CompressionMethod => rankerOf(ranker, { looks: ['gradients'], importanceOf });

/** The same from the errors that are left as the units of a site go one after the other. */
export const curveRanker = (
  ranker: Ranker,
  importanceOf: (curve: SiteCurve) => ArrayLike<number>,
): CompressionMethod =>
  rankerOf(ranker, {
    looks: [],
    readsCurves: true,
    importanceOf: (run, _, curves) =>
      Promise.resolve(
        bySite(run, ({ id }) => {
          const curve = curves.get(id);
          if (curve === undefined) throw new RangeError(`there is no error curve of ${id}`);
          return importanceOf(curve);
        }),
      ),
  });

/** Σ over a site's columns that belong to one unit, [units]. */
export function sumOfCopies(site: Site, valueOf: (column: number) => number): Float64Array {
  const copies = columnsOf(site) / site.units;
  return Float64Array.from({ length: site.units }, (_, unit) => {
    let total = 0;
    for (let copy = 0; copy < copies; copy++) total += valueOf(copy * site.units + unit);
    return total;
  });
}
