import { join } from 'node:path';
import {
  type BatchSource,
  type Budget,
  type CompressionResult,
  type ConfiguredMethod,
  type Duration,
  type LedgerEntry,
  type Model,
  type Runner,
  type TensorTree,
  disposeTree,
  forwardPassesPerStep,
  lendRunning,
  requirement,
  runCompression,
  stepsIn,
  toJson,
} from '@winnow/core';
import { weightBytes } from '../model-source/open-model';
import { type Optimization, adversaryOf } from '../options/training';
import { proveRun } from '../proof/prove-run';
import { saveTrained } from '../model-source/save-trained';
import type { RunFolder } from '../run-folder/run-folder';
import { writeFindings } from '../run-folder/findings';
import { writePredictions } from '../run-folder/predictions';
import { type CompressSummary, commonSummary, writeSummary } from '../run-folder/summary';
import { scoreOn } from '../training/data';
import { trainDense } from '../training/dense';
import { besideDense, latencyOn } from '../training/latency';
import { writeSaid } from '../run-folder/said';
import { classesOfTest, namesOfClasses } from '../training/predictions';
import { saidOnTest } from '../training/said';
import { type LatencyBudget, latencyBudget, macsOf } from './latency-budget';
import { type RetrainingPlan, howRetrained } from './retraining';
import { bestLine } from '../training/train-run';
import type { Said, Workload } from '../workload/workload';
import { type CompressOptions, type DenseOptions, reconstructionOf } from '../options/compress-options';

/** A compression whose options, data and budget are checked. */
export interface CompressPlan {
  readonly options: CompressOptions;
  /** Options of every training on the task, others beside them. */
  readonly training: unknown;
  readonly retraining: RetrainingPlan;
  readonly method: ConfiguredMethod;
  readonly budget: Budget;
  readonly workload: Workload;
  readonly batches: BatchSource<unknown>;
  readonly dense: DensePlan;
}

/** The model to compress: given, or to be trained first. */
export type DensePlan =
  | {
      readonly kind: 'given';
      readonly model: Model;
      /** Lent. */
      readonly params: TensorTree;
      readonly bytes: number;
    }
  | { readonly kind: 'new'; readonly model: Model; readonly options: DenseOptions };

interface Dense {
  readonly model: Model;
  readonly params: TensorTree;
  readonly bytes: number;
  readonly ledger: readonly LedgerEntry[];
}

/** The dense training if there is none yet, the search, the cut, the retraining; saved and summed up. */
export async function compressAndSave(
  runner: Runner,
  run: RunFolder,
  asked: CompressPlan,
  startMs: number,
): Promise<CompressSummary> {
  const dense = await denseOf(runner, run, asked);
  try {
    const { plan, timed } = await withMacs(runner, run, asked, dense);
    const result = await compress(runner, plan, dense);
    const done = result.ledger.at(-1)?.steps;
    if (result.best !== undefined && done !== undefined) {
      const { step, asked } = result.best;
      runner.report({ kind: 'note', text: `retraining: ${bestLine(done, step, asked)}` });
    }
    await saveTrained(run.modelFolder, plan.workload, {
      model: result.model,
      params: result.params,
      decision: result.decision,
      origin: toJson({
        run: run.record.hash,
        ...plan.workload.origin,
        method: plan.method.manifest.name,
        budget: plan.budget,
      }),
    });
    if (result.findings !== null) await writeFindings(run.folder, result.findings);
    const found = await summaryOf(run, plan, dense, result, { timed, startMs });
    await savePredictions(run, plan, dense, result);
    disposeTree(result.params);
    const saveDense = (folder: string): Promise<void> =>
      saveTrained(folder, plan.workload, {
        model: dense.model,
        params: dense.params,
        origin: toJson(plan.workload.origin),
      });
    const proof = await proveRun(run, plan.options.prove, saveDense, runner.signal);
    const summary = { ...found, ...(proof === undefined ? {} : { proof }) };
    await writeSummary(run.folder, summary);
    return summary;
  } finally {
    if (asked.dense.kind === 'new') disposeTree(dense.params);
  }
}

/** A budget in milliseconds comes to multiply–accumulates once there is a model to be timed. */
async function withMacs(
  runner: Runner,
  { folder }: RunFolder,
  plan: CompressPlan,
  { model, params }: Dense,
): Promise<{ plan: CompressPlan; timed?: LatencyBudget }> {
  const { options, budget, workload } = plan;
  if (options.budgetUnit !== 'latency') return { plan };
  const { signal } = runner;
  const note = (text: string) => runner.report({ kind: 'note', text });
  const timed = await latencyBudget(folder, budget.keep, { workload, model, params }, { note, signal });
  return { plan: { ...plan, budget: { ...macsOf(timed), multiple: budget.multiple } }, timed };
}

/** Saves the answers of both models to pictures, or the classes that they take them for: the report shows them. */
async function savePredictions(
  run: RunFolder,
  { workload, options: { batchSize } }: CompressPlan,
  dense: Dense,
  result: CompressionResult,
): Promise<void> {
  const [said, smaller] = [await saidOnTest(workload, dense), await saidOnTest(workload, result)];
  if (said !== undefined && smaller !== undefined) {
    const examples = said.map(({ said: own, pictures, asked, right, boxes }, place) => ({
      ...{ pictures: [...pictures], asked, right, dense: own, compressed: smaller[place]?.said ?? '' },
      ...(boxes === undefined ? {} : { boxes: boxesOfBoth(boxes, smaller[place]?.boxes) }),
    }));
    await writeSaid(run.folder, { examples });
  }
  const before = await classesOfTest(workload, dense, batchSize);
  const after = await classesOfTest(workload, result, batchSize);
  if (before === undefined || after === undefined) return;
  const { labels, predicted } = before;
  const classNames = namesOfClasses(workload);
  await writePredictions(run.folder, { classNames, labels, dense: predicted, compressed: after.predicted });
}

const boxesOfBoth = (dense: Required<Said>['boxes'], compressed: Said['boxes']) => ({
  right: dense.right,
  dense: dense.found,
  compressed: compressed?.found ?? [],
});

const denseFolder = ({ folder }: RunFolder): string => join(folder, 'dense');

async function denseOf(runner: Runner, run: RunFolder, plan: CompressPlan): Promise<Dense> {
  const { dense, workload, training, batches, options } = plan;
  if (dense.kind === 'given') return { ...dense, ledger: [] };
  const { model } = dense;
  const { duration, learningRate } = dense.options;
  const { params, ledger } = await trainDense(runner, {
    phase: 'dense',
    model,
    task: workload.taskOf(model, training),
    batches,
    optimization: options,
    duration,
    learningRate,
    seed: options.seed,
  });
  const folder = denseFolder(run);
  const origin = { run: run.record.hash, ...workload.origin };
  await saveTrained(folder, workload, { model, params, origin });
  return { model, params, bytes: await weightBytes(folder), ledger: [ledger] };
}

function compress(
  runner: Runner,
  { options, training, retraining, method, budget, workload, batches }: CompressPlan,
  { model, params }: Dense,
): Promise<CompressionResult> {
  const { stepsPerEpoch } = batches;
  const steps = stepsIn(options.retrain, stepsPerEpoch);
  const { compute } = options;
  const reconstruct = reconstructionOf(options);
  return runCompression({
    runner,
    method,
    budget,
    seed: options.seed,
    ...adversaryOf(options),
    model,
    params,
    taskOf: (model) => workload.taskOf(model, training),
    batches,
    splits: workload,
    ...(reconstruct === undefined ? {} : { reconstruct }),
    score: scoreOn(workload.test, options.batchSize),
    retrain: {
      steps,
      ...(compute === undefined ? {} : { computeLimit: denseCompute(model, compute, batches, options) }),
      distill: options.distill,
      ...howRetrained(retraining, workload, options),
    },
  });
}

/**
 * Scores the smaller model on the split by which learning rates and the like are chosen; nothing where that is empty.
 */
async function validationScores(workload: Workload, model: Model, params: TensorTree, batchSize: number) {
  const { validation } = workload;
  if (validation.size === 0) return {};
  const score = scoreOn(validation, batchSize);
  return {
    validation: await lendRunning(model, params, (running, own) => score(workload.taskOf(running), own)),
  };
}

/** Training MACs of the dense model over a duration. */
function denseCompute(
  { account }: Pick<Model, 'account'>,
  duration: Duration,
  { stepsPerEpoch, batchSize }: Pick<BatchSource<unknown>, 'stepsPerEpoch' | 'batchSize'>,
  optimization: Optimization,
): number {
  const passes = forwardPassesPerStep(adversaryOf(optimization).adversary);
  return stepsIn(duration, stepsPerEpoch) * batchSize * passes * account.macs;
}

async function summaryOf(
  run: RunFolder,
  { options, method, budget, workload, batches }: CompressPlan,
  dense: Dense,
  { model, params, achieved, scores, best, ledger, reconstruction }: CompressionResult,
  { timed, startMs }: { readonly timed: LatencyBudget | undefined; readonly startMs: number },
): Promise<CompressSummary> {
  const bytes = await weightBytes(run.modelFolder);
  const everything = { unit: 'compressible-parameters', keep: 1 } as const;
  const compressible = requirement(dense.model, everything, method.manifest.granularity).total;
  const [before, after] = [dense.model.account, model.account];
  const removed = before.parameters - after.parameters;
  return {
    command: 'compress',
    ...commonSummary(run.record, workload.facts, workload.taskOf(model).metric),
    method: { name: method.manifest.name, options: plainOptions(method) },
    budget,
    ...(timed === undefined ? {} : { latencyBudget: await kept(timed, workload, dense, { model, params }) }),
    achieved,
    ...(reconstruction === undefined ? {} : { reconstruction }),
    ratios: {
      'compressible-parameters': compressible / (compressible - removed),
      parameters: before.parameters / after.parameters,
      macs: before.macs / after.macs,
      bytes: dense.bytes / bytes,
    },
    dense: {
      parameters: before.parameters,
      macs: before.macs,
      bytes: dense.bytes,
      latency: await latencyOn(workload, dense.model, dense.params),
      scores: scores.dense,
    },
    compressed: {
      parameters: after.parameters,
      macs: after.macs,
      bytes,
      latency: await latencyOn(workload, model, params),
      masked: scores.masked,
      cut: scores.cut,
      milestones: scores.milestones.map(({ step, scores }) => ({
        step,
        epochs: step / batches.stepsPerEpoch,
        scores,
      })),
      ...(best === undefined ? {} : { best: { step: best.step, epochs: best.step / batches.stepsPerEpoch } }),
      retrained: scores.retrained,
      ...(await validationScores(workload, model, params, options.batchSize)),
    },
    ledger: [...dense.ledger, ...ledger],
    wallSeconds: (performance.now() - startMs) / 1000,
  };
}

/** Times what came of a budget in milliseconds, beside the dense model. */
async function kept(
  timed: LatencyBudget,
  workload: Workload,
  dense: Dense,
  smaller: Pick<Dense, 'model' | 'params'>,
) {
  const { ms, denseMs } = await besideDense(workload, dense, smaller);
  return { ...timed, measured: ms / denseMs };
}

const plainOptions = ({ options }: ConfiguredMethod) =>
  Object.fromEntries(Object.entries(options).map(([key, value]) => [key, toJson(value)]));
