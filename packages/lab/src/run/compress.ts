import {
  type Budget,
  type ConfiguredMethod,
  type Duration,
  UserError,
  asDense,
  checkReconstruction,
  disposeTree,
  requirement,
  stepsIn,
} from '@winnow/core';
import { type CompressPlan, compressAndSave } from '../compression/compress-run';
import { checkTimed } from '../compression/latency-budget';
import { withChoicesOfModel } from '../model-source/choices';
import { checkpointChoices } from '../model-source/checkpoint-choices';
import { digestOf, openModel } from '../model-source/open-model';
import { budgetOf } from '../options/budget';
import {
  type CompressOptions,
  compressGroups,
  compressOptions,
  denseOptions,
  everyCompressGroup,
  methodNamed,
  reconstructionOf,
} from '../options/compress-options';
import { type GivenOptions, givenFor } from '../options/group';
import { planRetraining } from '../compression/retraining';
import { retrainingOf } from '../options/retraining';
import { adversaryOf } from '../options/training';
import { shortName } from '../run-folder/plan-run';
import { dividedOtherwiseThan } from '../run-folder/run-data';
import { type CompressSummary, readCompressSummary } from '../run-folder/summary';
import { batchesOf } from '../training/data';
import { announceData } from '../workload/announce';
import { workloadFor, workloadIn } from '../workload/choice';
import { created } from '../workload/created';
import type { WorkloadKind } from '../workload/workload';
import type { Beginning, PreparedRun, RunKind } from './run-kind';

/** Options of a compression, with the method and the budget that they name. */
type ReadOptions = CompressOptions & {
  readonly configured: ConfiguredMethod;
  /** In multiply–accumulates where it is one of milliseconds, until those are measured. */
  readonly asked: Budget;
};

/** Makes a model smaller that there is, or that is trained first: search, cut, retraining. */
export const compressRun: RunKind<ReadOptions, CompressSummary> = {
  command: 'compress',
  takesModelFor: 'its own',
  groups: everyCompressGroup,
  groupsFor: compressGroups,
  complete: async (given, resume) => {
    if (given['from'] !== undefined && given['dense'] !== undefined) {
      throw new UserError(
        'options of the dense training have no use with --from: the model is there already',
      );
    }
    return resume ? given : withChoicesOfModel('compress', given, 'its own');
  },
  nameOf: ({ data, method }) => `compress-${String(method)}-${shortName(String(data))}`,
  optionsOf,
  readSummary: readCompressSummary,
  isEnough: () => true,
  prepare,
};

function optionsOf(values: GivenOptions): ReadOptions {
  const groups = compressGroups(values);
  const own = givenFor(values, groups);
  const options = compressOptions(workloadIn(own)).parse(own);
  // Both refuse what does not fit together.
  adversaryOf(options);
  retrainingOf(own);
  const method = methodNamed(options.method);
  if (reconstructionOf(options) !== undefined) checkReconstruction(method.manifest);
  const configured = method.configure(givenFor(values, groups, 'options'));
  if (options.budgetUnit === 'latency') checkTimed(configured);
  return {
    ...options,
    configured,
    asked: {
      ...budgetOf(options.budget, options.budgetUnit === 'latency' ? 'macs' : options.budgetUnit),
      multiple: options.multiple,
    },
  };
}

async function prepare({
  plan: { options: values },
  options: { configured: method, asked: budget, ...options },
  note,
  startEngine,
}: Beginning<ReadOptions>): Promise<PreparedRun<CompressSummary>> {
  const groups = compressGroups(values);
  const own = givenFor(values, groups);
  const kind = workloadIn(own);
  const engine = await startEngine();
  const { dense, workload } =
    options.from === undefined
      ? await newDense(kind, options, { ...own, ...givenFor(values, groups, 'dense') })
      : await givenDense(kind, options, own, options.from, note);
  const dispose = () => {
    if (dense.kind === 'given') disposeTree(dense.params);
  };
  try {
    await announceData(workload, note);
    workload.checkFit(dense.model);
    const { phases, granularity = method.manifest.granularity } = method.plan(dense.model, budget);
    requirement(dense.model, budget, granularity);
    const batches = batchesOf(workload, options, own);
    const { stepsPerEpoch } = batches;
    checkCompute(options.compute, phases, stepsPerEpoch);
    const all = [
      ...phases,
      ...(options.compute === undefined ? [{ name: 'retrain', duration: options.retrain }] : []),
    ];
    note(planLine(method, { ...budget, unit: options.budgetUnit }, all, stepsPerEpoch));
    const retraining = planRetraining(own, workload, dense.model, options);
    const plan: CompressPlan = {
      options,
      training: own,
      retraining,
      method,
      budget,
      workload,
      batches,
      dense,
    };
    return {
      engine,
      ...(dense.kind === 'given' ? { sourceWeights: await digestOf(dense.params) } : {}),
      stepsPerEpoch,
      skipped: workload.skipped,
      work: (runner, run, startMs) => compressAndSave(runner, run, plan, startMs),
      dispose,
    };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** Steps of a search cost what those of the dense model cost. */
function checkCompute(
  compute: Duration | undefined,
  phases: readonly { readonly duration: Duration }[],
  stepsPerEpoch: number,
): void {
  if (compute === undefined) return;
  const searched = phases.reduce((sum, { duration }) => sum + stepsIn(duration, stepsPerEpoch), 0);
  const all = stepsIn(compute, stepsPerEpoch);
  if (searched <= all) return;
  throw new UserError(
    `compute: the search alone takes ${searched} steps of the dense model, but ${compute} are ${all}: allow more, or search for less long`,
  );
}

function planLine(
  { manifest }: ConfiguredMethod,
  { unit, keep, multiple = 1 }: Omit<Budget, 'unit'> & { readonly unit: string },
  phases: readonly { readonly name: string; readonly duration: Duration }[],
  stepsPerEpoch: number,
): string {
  const steps = phases
    .map(({ name, duration }) => `${name} ${duration} (${stepsIn(duration, stepsPerEpoch)} steps)`)
    .join(', ');
  const widths = multiple === 1 ? '' : `, widths in multiples of ${multiple}`;
  return `${manifest.title}, keeping ${Number((100 * keep).toFixed(2))} % of the ${unit}${widths}: ${steps}`;
}

type DenseAndData = Pick<CompressPlan, 'dense' | 'workload'>;

async function newDense(
  kind: WorkloadKind,
  options: CompressOptions,
  given: GivenOptions,
): Promise<DenseAndData> {
  const { workload, model } = await created(kind, options, given);
  return { dense: { kind: 'new', model, options: denseOptions.parse(given) }, workload };
}

async function givenDense(
  kind: WorkloadKind,
  options: CompressOptions,
  own: GivenOptions,
  from: string,
  note: (line: string) => void,
): Promise<DenseAndData> {
  for (const line of await dividedOtherwiseThan(from, own)) note(line);
  const opened = await openModel(from, checkpointChoices(own));
  for (const line of opened.notes) note(`${from}: ${line}`);
  const { model, params, bytes } = opened;
  try {
    const { kind: modelKind } = asDense(opened);
    if (!kind.modelKinds.includes(modelKind)) {
      throw new UserError(
        `${from} is a ${modelKind}: compress it with --task ${workloadFor(modelKind).name}`,
      );
    }
    return {
      dense: { kind: 'given', model, params, bytes },
      workload: await kind.open(options, opened, own),
    };
  } catch (error) {
    disposeTree(params);
    throw error;
  }
}
