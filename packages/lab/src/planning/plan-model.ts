import { UserError, asDense, disposeTree, parseOptions, toJson } from '@winnow/core';
import { pinnedModel } from '../model-source/hub-model';
import { digestOf, openModel } from '../model-source/open-model';
import { budgetOf } from '../options/budget';
import type { GivenOptions } from '../options/group';
import { listed } from '../options/path';
import { startChosen } from '../run/engine';
import { choicesOfRun } from '../run-folder/record';
import { dataOfRun, dividedOtherwise, readingOfRun } from '../run-folder/run-data';
import { announceData } from '../workload/announce';
import { workloadFor } from '../workload/choice';
import { refuseIdle } from '../workload/idle-options';
import { frontOf } from './front';
import { checkPlace, keptPlan } from './kept-plan';
import type { PlannedModel } from './planned-model';
import { type PlanOptions, planGroup, planOptions } from './plan-options';

export interface PlanWatch {
  /** Told a line at a time what is done. */
  note(line: string): void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Plans how a model can be made smaller without training: from one look at some examples the best numbers of units for every
 * budget, and of a few of them the models themselves, reconstructed and scored. Nothing is written without `out`; with it, a plan that was
 * killed goes on where it was.
 * @param named A run, a model folder or a checkpoint, or a model of the Hub.
 * @param given Options of `planGroup`.
 * @throws {UserError} when nothing says which data, they do not fit the model, or a budget cannot be reached.
 */
export async function planModel(
  named: string,
  given: GivenOptions,
  { note, signal }: PlanWatch,
): Promise<PlannedModel> {
  const options = parseOptions(planOptions, given, planGroup.title);
  const keeps = keepsOf(options);
  const { classOrder, imageSize, out, resume } = options;
  if (resume && out === undefined)
    throw new UserError('plan: only a plan with --out is kept as it goes on, so that --resume finds it');
  if (out !== undefined) await checkPlace(out, resume);
  const path = await pinnedModel(named, { note, ...(signal === undefined ? {} : { signal }) });
  const own = options.data === undefined ? await dataOfRun(path) : await readingOfRun(path, options.data);
  const { data: spec, ...read } = { ...own, ...options };
  if (spec === undefined) throw new UserError(`plan: say with --data what ${path} is for`);
  for (const line of own === undefined ? [] : dividedOtherwise(path, own, options)) note(line);
  await startChosen(options, note);
  const opened = await openModel(path, imageSize === undefined ? {} : { imageSize });
  for (const line of opened.notes) note(`${path}: ${line}`);
  try {
    const choice = { data: spec, augmentation: 'none', preload: 'never' } as const;
    const { task } = await choicesOfRun(path);
    const kind = workloadFor(asDense(opened).kind, task);
    refuseIdle(kind, given);
    const workload = await kind.open(choice, opened, {
      ...read,
      classOrder,
    });
    await announceData(workload, note, [...new Set(['train' as const, options.split])]);
    workload.checkFit(opened.model);
    if (workload[options.split].size === 0)
      throw new UserError(`plan: the data have no examples for ${options.split}; say another --split`);
    const { out: _place, resume: _again, ...question } = options;
    const asked = toJson({ question, facts: workload.facts, weights: await digestOf(opened.params) });
    const kept = await keptPlan(out, { resume, asked });
    const found = await frontOf({
      store: kept.store,
      model: opened.model,
      params: opened.params,
      workload,
      options,
      keeps,
      note,
      signal,
    });
    await kept.finish();
    return { model: named, ...found };
  } finally {
    disposeTree(opened.params);
  }
}

/** Budgets at which models are built, from the largest on. */
function keepsOf({ build }: PlanOptions): number[] {
  const keeps = listed(build).map((text) => budgetOf(text, 'parameters', '--build').keep);
  if (keeps.length === 0) throw new UserError('build: expected budgets, got none');
  return [...new Set(keeps)].sort((a, b) => b - a);
}
