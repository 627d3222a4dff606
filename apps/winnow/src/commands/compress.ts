import {
  type Budget,
  type ConfiguredMethod,
  type Duration,
  UserError,
  asDense,
  disposeTree,
  stepsIn,
} from '@winnow/core';
import {
  adversaryOf,
  announceData,
  batchesOf,
  beginRun,
  budgetOf,
  compressAndSave,
  compressGroups,
  type CompressOptions,
  compressOptions,
  type CompressPlan,
  created,
  denseOptions,
  digestOf,
  engineChoice,
  everyCompressGroup,
  finishedSummary,
  givenFor,
  type GivenOptions,
  inSession,
  methodNamed,
  openModel,
  type PlannedRun,
  planRun,
  shortName,
  startChosen,
  version,
  withChoicesOfModel,
  workloadFor,
  workloadIn,
  type WorkloadKind,
} from '@winnow/lab';
import { progressOn } from '../terminal/progress';
import { runReport } from '../terminal/report/run-report';
import { remarked } from '../terminal/report/remarks';
import { type Terminal, noteOn, print } from '../terminal/terminal';
import type { Command, Invocation } from './command';

export const compressCommand: Command = {
  name: 'compress',
  summary: 'Make a trained model smaller: search, cut, retrain',
  startsRun: true,
  takesModelFor: 'its own',
  groups: everyCompressGroup,
  run: async ({ given: asked, resume, terminal }: Invocation) => {
    if (asked['from'] !== undefined && asked['dense'] !== undefined) {
      throw new UserError(
        'options of the dense training have no use with --from: the model is there already',
      );
    }
    const given = resume ? asked : await withChoicesOfModel('compress', asked, 'its own');
    const planned = await planRun({
      command: 'compress',
      groupsFor: compressGroups,
      given,
      resume,
      nameOf: ({ data, method }) => `compress-${String(method)}-${shortName(String(data))}`,
    });
    const finished = await finishedSummary(planned.folder, (text) => {
      print(terminal.stderr, text);
    });
    if (finished !== undefined) {
      print(terminal.stdout, remarked(runReport(finished, planned.folder), planned.remarks));
      return;
    }
    for (const remark of planned.remarks) print(terminal.stderr, remark);
    const startMs = performance.now();
    const { plan, engine, sourceWeights } = await prepare(planned, terminal);
    const run = await beginRun(planned, { engine, version: version(), ...sourceWeights });
    const progress = progressOn(terminal);
    const { checkpointEvery } = plan.options;
    const { stepsPerEpoch } = plan.batches;
    const session = { signal: terminal.signal, progress, checkpointEvery, stepsPerEpoch };
    const summary = await inSession(run, session, (runner) => compressAndSave(runner, run, plan, startMs));
    print(terminal.stdout, runReport(summary, planned.folder));
  },
};

/** Everything that can be wrong is found here, before anything is written. */
async function prepare({ options: values, record }: PlannedRun, terminal: Terminal) {
  const groups = compressGroups(values);
  const own = givenFor(values, groups);
  const kind = workloadIn(own);
  const options = compressOptions(kind).parse(own);
  adversaryOf(options); // refuses what does not fit together
  const method = methodNamed(options.method).configure(givenFor(values, groups, 'options'));
  const budget = budgetOf(options.budget, options.budgetUnit);
  const engine = await startChosen(engineChoice(record, options), noteOn(terminal));

  const { dense, workload } =
    options.from === undefined
      ? await newDense(kind, options, { ...own, ...givenFor(values, groups, 'dense') })
      : await givenDense(kind, options, own, options.from, terminal);
  announceData(workload, noteOn(terminal));
  workload.checkFit(dense.model);
  const { phases } = method.plan(dense.model, budget);
  const batches = batchesOf(workload, options);
  checkCompute(options.compute, phases, batches.stepsPerEpoch);
  const all = [
    ...phases,
    ...(options.compute === undefined ? [{ name: 'retrain', duration: options.retrain }] : []),
  ];
  print(terminal.stderr, planLine(method, budget, all, batches.stepsPerEpoch));
  const plan: CompressPlan = { options, training: own, method, budget, workload, batches, dense };
  const sourceWeights = dense.kind === 'given' ? { sourceWeights: await digestOf(dense.params) } : {};
  return { plan, engine, sourceWeights };
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
  { unit, keep }: Budget,
  phases: readonly { readonly name: string; readonly duration: Duration }[],
  stepsPerEpoch: number,
): string {
  const steps = phases
    .map(({ name, duration }) => `${name} ${duration} (${stepsIn(duration, stepsPerEpoch)} steps)`)
    .join(', ');
  return `${manifest.title}, keeping ${Number((100 * keep).toFixed(2))} % of the ${unit}: ${steps}`;
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
  { stderr }: Terminal,
): Promise<DenseAndData> {
  const opened = await openModel(from);
  for (const note of opened.notes) print(stderr, `${from}: ${note}`);
  const { model, params, bytes } = opened;
  try {
    const { kind: modelKind } = asDense(opened);
    if (modelKind !== kind.modelKind) {
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
