import {
  type Budget,
  type CompressionMethod,
  type CompressionRun,
  type Manifest,
  type Model,
  type Plan,
  type Site,
  type SiteCurve,
  type UnitGrain,
  type UnitScores,
  UserError,
  allocateUnits,
  budgetOfSites,
  columnsOf,
  countedCosts,
  defineMethod,
  granularityOf,
  keepMostImportant,
  pruneAtOnce,
  pruneTo,
  removalTarget,
  siteCurves,
  siteLooks,
  sitesOf,
  smallestKeep,
  unitGrains,
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
  /** Units that it can rank; all unless it says otherwise. */
  readonly ranks?: readonly UnitGrain[];
  importanceOf(run: RankedRun, examples: number, curves: Curves): Promise<UnitScores>;
}

/** A run, and the sites of which units are ranked: those of its model, or whole heads or blocks. */
export interface RankedRun extends CompressionRun {
  readonly sites: readonly Site[];
}

const manifestOf = ({ name, title, paper, summary }: Ranker): Manifest => ({
  name,
  title,
  family: 'one-shot',
  paper,
  summary,
});

/** @throws {UserError} when the budget cannot be reached: one unit stays at every site. */
function smallest(model: Model, budget: Budget, sites: readonly Site[]): number {
  removalTarget(model, budget, sites);
  return smallestKeep(model, budget, sites);
}

/** @throws {UserError} when a ranking cannot be made of such units. */
function checkUnits(
  { name }: Ranker,
  { ranks = unitGrains }: Ranking,
  { units, scope }: RankingOptions,
): void {
  if (!ranks.includes(units))
    throw new UserError(
      `${name} cannot rank whole ${units}: it ranks ${ranks.join(' and ')}. Gradients can (taylor, fisher, mask-fisher, self-supervised)${units === 'blocks' ? ', and block-influence' : ''}`,
    );
  if (scope === 'allocated' && units !== 'dimensions')
    throw new UserError(
      `${name}: --scope allocated goes by the errors that dimensions leave, not whole ${units}: choose another scope`,
    );
}

const bySite = ({ sites }: RankedRun, importanceOf: (site: Site) => ArrayLike<number>): UnitScores =>
  Object.fromEntries(sites.map((site) => [site.id, importanceOf(site)]));

function rankerOf(ranker: Ranker, ranking: Ranking): CompressionMethod {
  const { looks, readsCurves, importanceOf } = ranking;
  const readsCurvesFor = ({ scope }: RankingOptions) => readsCurves === true || scope === 'allocated';
  return defineMethod({
    manifest: manifestOf(ranker),
    options: rankingOptions(ranker.scope, ranker.scale),
    plan: (model, budget, options): Plan => {
      checkUnits(ranker, ranking, options);
      const names = [...(readsCurvesFor(options) ? siteLooks(options.measure) : []), ...looks];
      return {
        phases: [],
        smallestKeep: smallest(model, budget, sitesOf(model, options.units)),
        granularity: granularityOf(options.units),
        observations: names.map((name) => ({ name, examples: options.calibration })),
      };
    },
    compress: async (run, options) => {
      const { calibration, measure, scope, units } = options;
      const sites = sitesOf(run.model, units);
      const curves = readsCurvesFor(options)
        ? await siteCurves(run, calibration, measure)
        : new Map<string, SiteCurve>();
      const importance = await importanceOf({ ...run, sites }, calibration, curves);
      return scope === 'allocated'
        ? pruneTo(run, allocated(run, importance, curves))
        : pruneAtOnce(run, prioritiesOf(sites, importance, { ...options, scope }), sites);
    },
  });
}

/** As many units of each site as lose least together; of each those of most importance. */
function allocated({ model, budget }: CompressionRun, importance: UnitScores, curves: Curves) {
  const { sites } = model;
  const { unit, keep, multiple = 1 } = budget;
  const costs = countedCosts(model, unit);
  const { kept } = allocateUnits(sites, {
    curves: new Map([...curves].map(([id, { best }]) => [id, best])),
    multiple,
    costOf: costs.costOf,
    budget: budgetOfSites(sites, costs, { keep, multiple, what: unit }),
  });
  return keepMostImportant(sites, importance, kept);
}

/** A method that removes the units of least importance at once, from the weights alone. */
export const weightRanker = (
  ranker: Ranker,
  importanceOf: (site: Site, run: RankedRun) => ArrayLike<number>,
): CompressionMethod =>
  rankerOf(ranker, {
    looks: [],
    ranks: ['dimensions', 'heads'], // What a block adds is no sum of what its parts weigh.
    importanceOf: (run) => Promise.resolve(bySite(run, (site) => importanceOf(site, run))),
  });

/** The same from what passes the sites as examples go through the model: no labels, one forward pass. */
export const activityRanker = (
  ranker: Ranker,
  importanceOf: (columns: readonly Activity[], site: Site, run: RankedRun) => ArrayLike<number>,
): CompressionMethod =>
  rankerOf(ranker, {
    looks: ['activations'],
    ranks: ['dimensions', 'heads'], // A block is not read at one place.
    importanceOf: async (run, examples) => {
      const activity = await activityOf(run, examples);
      return bySite(run, (site) => importanceOf(activity.get(site.id) ?? [], site, run));
    },
  });

/** The same from gradients of the task's loss: labels where the task has them, one forward and one backward pass. */
export const gradientRanker = (
  ranker: Ranker,
  importanceOf: (run: RankedRun, examples: number) => Promise<UnitScores>,
): CompressionMethod => rankerOf(ranker, { looks: ['gradients'], importanceOf });

/** The same from the errors that are left as the units of a site go one after the other. */
export const curveRanker = (
  ranker: Ranker,
  importanceOf: (curve: SiteCurve) => ArrayLike<number>,
): CompressionMethod =>
  rankerOf(ranker, {
    looks: [],
    ranks: ['dimensions'],
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

/** Σ over the columns of a site that belong to one unit, [units]: copies in each head, or the dimensions of a whole head. */
export function sumOfColumns(site: Site, columns: ArrayLike<number>): Float64Array {
  const sums = new Float64Array(site.units);
  const run = columns.length / columnsOf(site);
  for (let column = 0; column < columns.length; column++) {
    const unit = Math.floor(column / run) % site.units;
    sums[unit] = (sums[unit] ?? 0) + (columns[column] ?? NaN);
  }
  return sums;
}
