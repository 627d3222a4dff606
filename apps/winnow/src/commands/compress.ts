import { type Budget, type ConfiguredMethod, type Duration, UserError, parseOptions } from '@winnow/core';
import { digestOf, openModel } from '../model-source/open-model';
import { budgetOf } from '../options/budget';
import { type GivenOptions, givenFor } from '../options/group';
import { progressOn } from '../progress/progress';
import { runReport } from '../report/run-report';
import { engineChoice } from '../run-folder/record';
import { type PlannedRun, beginRun, planRun, shortName } from '../run-folder/run-folder';
import { readSummary } from '../run-folder/summary';
import { type Terminal, print } from '../terminal/terminal';
import { batchesOf, checkFit, openData } from '../training/data';
import { newModel } from '../training/dense';
import { version } from '../version';
import type { Command, Invocation } from './command';
import { type CompressPlan, compressAndSave } from './compress-run';
import {
  type CompressOptions,
  compressGroups,
  compressOptions,
  denseOptions,
  methodNamed,
} from './compress-options';
import { startChosen } from './engine';
import { inSession } from './run-session';

export const compressCommand: Command = {
  name: 'compress',
  summary: 'Make a trained model smaller: search, cut, retrain',
  startsRun: true,
  groups: (method) => compressGroups(method === undefined ? {} : { method }),
  run: async ({ given, resume, terminal }: Invocation) => {
    if (given['from'] !== undefined && given['dense'] !== undefined) {
      throw new UserError(
        'options of the dense training have no use with --from: the model is there already',
      );
    }
    const planned = await planRun({
      command: 'compress',
      groupsFor: compressGroups,
      given,
      resume,
      nameOf: ({ data, method }) => `compress-${String(method)}-${shortName(String(data))}`,
    });
    const finished = await readSummary(planned.folder);
    if (finished !== undefined) {
      print(terminal.stdout, runReport(finished, planned.folder));
      return;
    }
    const startMs = performance.now();
    const { plan, engine, sourceWeights } = await prepare(planned, terminal);
    const run = await beginRun(planned, { engine, version: version(), ...sourceWeights });
    const progress = progressOn(terminal);
    const { checkpointEvery } = plan.options;
    const { stepsPerEpoch } = plan.batches;
    const session = { terminal, progress, checkpointEvery, stepsPerEpoch };
    const summary = await inSession(run, session, (runner) => compressAndSave(runner, run, plan, startMs));
    print(terminal.stdout, runReport(summary, planned.folder));
  },
};

/** Everything that can be wrong is found here, before anything is written. */
async function prepare({ options: values, record }: PlannedRun, terminal: Terminal) {
  const groups = compressGroups(values);
  const options = parseOptions(compressOptions, givenFor(values, groups), 'options of compress');
  const method = methodNamed(options.method).configure(givenFor(values, groups, 'options'));
  const budget = budgetOf(options.budget, options.budgetUnit);
  const engine = await startChosen(engineChoice(record, options), terminal);

  const { dense, data } =
    options.from === undefined
      ? await newDense(options, givenFor(values, groups, 'dense'))
      : await givenDense(options, options.from, terminal);
  checkFit(dense.model, data);
  const { phases } = method.plan(dense.model, budget);
  print(
    terminal.stderr,
    planLine(method, budget, [...phases, { name: 'retrain', duration: options.retrain }]),
  );
  const plan: CompressPlan = { options, method, budget, data, batches: batchesOf(data, options), dense };
  const sourceWeights = dense.kind === 'given' ? { sourceWeights: await digestOf(dense.params) } : {};
  return { plan, engine, sourceWeights };
}

function planLine(
  { manifest }: ConfiguredMethod,
  { unit, keep }: Budget,
  phases: readonly { readonly name: string; readonly duration: Duration }[],
): string {
  const steps = phases.map(({ name, duration }) => `${name} ${duration}`).join(', ');
  return `${manifest.title}, keeping ${Number((100 * keep).toFixed(2))} % of the ${unit}: ${steps}`;
}

type DenseAndData = Pick<CompressPlan, 'dense' | 'data'>;

async function newDense(options: CompressOptions, given: GivenOptions): Promise<DenseAndData> {
  const shape = parseOptions(denseOptions, given, 'options of the dense training');
  const data = await openData(options, shape.imageSize);
  return { dense: { kind: 'new', model: newModel(shape, data), options: shape }, data };
}

async function givenDense(
  options: CompressOptions,
  from: string,
  { stderr }: Terminal,
): Promise<DenseAndData> {
  const { model, params, bytes, notes } = await openModel(from);
  for (const note of notes) print(stderr, `${from}: ${note}`);
  const data = await openData(options, model.config.imageSize);
  return { dense: { kind: 'given', model, params, bytes }, data };
}
