import { createHash } from 'node:crypto';
import { type Json, UserError, canonicalJson, parseOptions, suggestion, toJson } from '@winnow/core';
import { type ComparisonConfig, comparisonConfig } from './config';
import { type Contender, type Control, type Options, entriesOf } from './contender';

/**
 * Knowledge of the command line that a comparison must not have: which methods there are, and which options runs take.
 */
export interface Catalogue {
  readonly controls: readonly Control[];
  readonly methods: readonly string[];
  /** Keys of a method's options. */
  optionsOf(method: string): readonly string[];
  /**
   * Every option of a run with its value.
   * @throws {UserError} on options that are not allowed.
   */
  resolve(command: Job['command'], given: Options): Options;
  /** Turns the options of a run on a workload into what the run is known by, and what it is started with. */
  runOf(workload: string, command: Job['command'], options: Options): PlannedRun;
}

/** A run as it is known, and as it is started. */
export interface PlannedRun {
  /** All that its result depends on beside the dense model: options, data and code, but not where anything lies. */
  readonly content: Readonly<Record<string, Json>>;
  readonly options: Options;
}

/** A run that a comparison needs. Equal jobs have equal ids. */
export interface Job {
  /** Hash of everything that the result depends on. */
  readonly id: string;
  readonly command: 'train' | 'compress';
  readonly options: Options;
  /** The job whose model is compressed. */
  readonly dense?: string;
}

/** A dense model, of which a comparison has one for each workload and seed. */
export interface DensePoint {
  readonly workload: string;
  readonly seed: number;
  readonly job: Job;
}

/** One run of a contender. Its job has no id before the dense model is there: the id depends on the weights. */
export interface Point {
  readonly contender: Contender;
  readonly seed: number;
  readonly learningRate: number;
  readonly dense: DensePoint;
  readonly options: Options;
  readonly run: PlannedRun;
}

export interface ComparisonPlan {
  readonly config: ComparisonConfig;
  readonly dense: readonly DensePoint[];
  readonly points: readonly Point[];
}

/**
 * Plans the runs that a comparison consists of.
 * @throws {UserError} on a config that is not allowed: unknown keys and methods come with the nearest known ones.
 */
export function planComparison(given: unknown, catalogue: Catalogue): ComparisonPlan {
  const config = parseOptions(comparisonConfig, given, 'the comparison');
  checkNames(config, catalogue);
  const dense = config.workloads.flatMap((workload) =>
    config.seeds.map((seed): DensePoint => {
      const options = catalogue.resolve('train', {
        ...workload.shared,
        ...workload.dense,
        ...config.run,
        seed,
      });
      const run = catalogue.runOf(workload.name, 'train', options);
      const id = addressOf({ command: 'train', ...run.content });
      return { workload: workload.name, seed, job: { id, command: 'train', options: run.options } };
    }),
  );
  const points = config.workloads.flatMap((workload) => {
    const ofWorkload = dense.filter((point) => point.workload === workload.name);
    const [first] = ofWorkload;
    if (first === undefined) return [];
    const entries = entriesOf(config, workload, first.job.options, catalogue.controls, (method) =>
      catalogue.optionsOf(method),
    );
    return entries.flatMap(({ contender, options, learningRates }) => {
      // Checked once: seeds and learning rates change nothing about what is allowed.
      const [learningRate = null] = learningRates;
      const all = catalogue.resolve('compress', {
        ...options,
        seed: first.seed,
        retrainLearningRate: learningRate,
        from: 'dense',
      });
      return learningRates.flatMap((learningRate) =>
        ofWorkload.map((dense): Point => {
          const { seed } = dense;
          const options: Options = { ...all, seed, retrainLearningRate: learningRate };
          // Where the dense model lies does not matter, only which one it is.
          const { from: _where, ...asked } = options;
          const run = catalogue.runOf(workload.name, 'compress', asked);
          return { contender, seed, learningRate, dense, options, run };
        }),
      );
    });
  });
  return { config, dense, points };
}

/**
 * The job of a point, once its dense model is there.
 * @param denseDigest SHA-256 of the dense model's weights.
 */
export function jobOf({ run: { content, options }, dense }: Point, denseDigest: string): Job {
  return {
    id: addressOf({ command: 'compress', ...content, dense: denseDigest }),
    command: 'compress',
    options,
    dense: dense.job.id,
  };
}

/** Long enough that no two jobs of all comparisons of a lifetime meet. */
const ID_LENGTH = 16;

const addressOf = (content: Json): string =>
  createHash('sha256')
    .update(canonicalJson(toJson(content)))
    .digest('hex')
    .slice(0, ID_LENGTH);

function checkNames(config: ComparisonConfig, { controls, methods }: Catalogue): void {
  const unknown = (what: string, name: string, known: readonly string[]) => {
    const near = suggestion(name, known);
    throw new UserError(
      `the comparison: unknown ${what} ${name}; ${near === undefined ? `known are ${known.join(', ')}` : `did you mean ${near}?`}`,
    );
  };
  const workloads = config.workloads.map(({ name }) => name);
  const controlNames = controls.map(({ name }) => name);
  for (const entry of config.methods) {
    if (!methods.includes(entry.method)) unknown('method', entry.method, methods);
    for (const name of entry.workloads ?? [])
      if (!workloads.includes(name)) unknown('workload', name, workloads);
  }
  const budgets = config.workloads.flatMap((workload) => workload.budgets ?? config.budgets);
  const asked = [...config.methods, ...Object.values(config.tracks)].flatMap((each) => each.budgets ?? []);
  for (const budget of asked) {
    if (!budgets.includes(budget)) unknown('budget', String(budget), budgets.map(String));
  }
  for (const name of [...config.without, ...Object.keys(config.controls)])
    if (!controlNames.includes(name)) unknown('control', name, controlNames);
  for (const [name, { run }] of [
    ...config.methods.map(({ method, label = method, run }) => [label, { run }] as const),
    ...Object.entries(config.controls),
    ...Object.entries(config.tracks),
  ])
    checkOwn(config, name, run);
  const labels = [
    ...config.methods.map(({ method, label = method }) => label),
    ...controls.filter(({ name }) => !config.without.includes(name)).map(({ label }) => label),
  ];
  checkUnique(
    'two contenders are called',
    labels,
    'give one of them a label, or leave the control out with "without"',
  );
  checkUnique('two workloads are called', workloads, 'give them different names');
  checkUnique('the seed is given twice:', config.seeds.map(String), 'name every seed once');
  for (const budgets of [config.budgets, ...config.workloads.map((workload) => workload.budgets ?? [])]) {
    checkUnique('the budget is given twice:', budgets.map(String), 'name every budget once');
  }
}

/** Options of a run that the comparison gives to everybody by a rule, and where it is told. */
const decided = {
  method: 'method',
  options: 'options',
  budget: 'budgets',
  budgetUnit: 'budgetUnit',
  retrain: 'retrain or the track',
  compute: 'the track',
  retrainLearningRate: 'retrainLearningRates',
  seed: 'seeds',
  from: 'dense',
  dense: 'dense',
  out: '--out',
  task: 'shared',
  data: 'shared',
  imageSize: 'shared',
} as const satisfies Readonly<Record<string, string>>;

/** Refuses options of one contender or track that all must have alike. */
function checkOwn({ run: ofAll }: ComparisonConfig, name: string, own: Options): void {
  for (const key of Object.keys(own)) {
    const place = Object.entries(decided).find(([known]) => known === key)?.[1];
    if (place === undefined && !(key in ofAll)) continue;
    const where = place ?? 'run of the whole comparison';
    throw new UserError(
      `the comparison: run of ${name}: ${key} is the same for everybody; say it with ${where}`,
    );
  }
}

function checkUnique(what: string, names: readonly string[], remedy: string): void {
  const twice = names.find((name, place) => names.indexOf(name) !== place);
  if (twice !== undefined) throw new UserError(`the comparison: ${what} ${twice}; ${remedy}`);
}
