import { createHash } from 'node:crypto';
import {
  type HostTensor,
  type Model,
  type Shaped,
  type TensorTree,
  UserError,
  asDense,
  disposeTree,
  downloadTree,
  entriesOf,
  initialize,
  isOfHead,
  uploadTree,
} from '@winnow/core';
import { towerParameter } from '@winnow/lottery-ticket';

import type { DataChoice } from '../options/training';
import type { HeadChoice, Workload, WorkloadKind } from '../workload/workload';
import type { CheckpointChoices } from './checkpoint-choices';
import { type OpenedModel, openModel } from './open-model';

/** A task, and a model for it whose towers are those of another; the caller owns the parameters. */
export interface Start {
  readonly workload: Workload;
  readonly model: Model;
  readonly params: TensorTree;
}

/** A task on opened data, a model for it, and what it takes over of another: nothing of it lives on the engine. */
export interface Origin {
  readonly workload: Workload;
  readonly model: Model;
  /** Parameters by names that do not depend on the model that a tower stands in. */
  readonly towers: ReadonlyMap<string, HostTensor>;
}

export interface OriginChoices {
  readonly from: string;
  readonly head: HeadChoice;
  /** Told what the reader of the file says. */
  note(line: string): void;
  /** Choices that a checkpoint of others leaves open. */
  readonly checkpoint?: CheckpointChoices;
}

/**
 * The towers of the model at a path, for a task.
 * @throws {UserError} when the task needs a tower that the model does not have, or its head is to go on and is for other
 * classes of the same number.
 */
export async function originOn(
  kind: WorkloadKind,
  choice: DataChoice,
  options: unknown,
  { from, head, note, checkpoint = {} }: OriginChoices,
): Promise<Origin> {
  // Its own head is never taken: classes, and the seed that draws it, are the task's.
  const opened = await openModel(from, { ...checkpoint, missingHead: { classes: 1, seed: 0 } });
  for (const line of opened.notes) note(`${from}: ${line}`);
  try {
    refuseMasked(opened, from);
    const { workload, model, taken } = await kind.adapt(
      choice,
      opened,
      options,
      opened.hasFreshHead ? 'new' : head,
    );
    const dense = asDense(opened);
    const parameters = [...(await downloadTree(dense.params))].filter(
      ([path]) => !(opened.hasFreshHead && isOfHead(dense.model, path)),
    );
    const towers = new Map(parameters.map(([path, tensor]) => [nameIn(dense.model, path), tensor]));
    return { workload, model, towers: taken === undefined ? towers : taken(towers) };
  } finally {
    disposeTree(opened.params);
  }
}

const nameIn = (model: Model, path: string): string => towerParameter(model, path)?.name ?? path;

/**
 * Parameters to start from: towers, and projections where both models have them, are taken over, and the task's head if it
 * is to be kept; the seed draws whatever else there is.
 */
export async function startFrom(
  { workload, model, towers }: Origin,
  { seed, head }: { readonly seed: number; readonly head: HeadChoice },
): Promise<Start> {
  const fresh = initialize<TensorTree>(model.specs, seed);
  try {
    const values = await downloadTree(fresh);
    for (const [path, { shape }] of entriesOf(fresh)) {
      const isDrawn = head === 'new' && isOfHead(model, path);
      const found = isDrawn ? undefined : towers.get(nameIn(model, path));
      if (found !== undefined && found.shape.join() === shape.join()) values.set(path, found);
    }
    return { workload, model, params: uploadTree(fresh, values) };
  } finally {
    disposeTree(fresh);
  }
}

/** Says in words what becomes of the head of a model that is trained on. */
export function fateOfHead(origin: Origin, head: HeadChoice): string {
  const { workload, model, towers } = origin;
  if (model.readout.heads.length === 0) return 'it is trained on as a whole';
  const { classes: count, shows = 'texts', name } = workload.facts;
  const classes = count === undefined ? `${shows} of ${name}` : `${count} classes of ${name}`;
  if (head === 'new') return `a new head is drawn for the ${classes}`;
  if (hasFittingHead(origin)) return `its head goes on, for the ${classes}`;
  return [...towers.keys()].some((path) => isOfHead(model, path))
    ? `its head is for other classes, so a new one is drawn for the ${classes}`
    : `it has no head, so one is drawn for the ${classes}`;
}

/** Whether the task's head can go on: classifiers of as many classes. */
const hasFittingHead = ({ model, towers }: Origin): boolean =>
  entriesOf<Shaped>(model.specs).every(
    ([path, { shape }]) =>
      !isOfHead(model, path) || towers.get(nameIn(model, path))?.shape.join() === shape.join(),
  );

function refuseMasked({ kind }: OpenedModel, from: string): void {
  if (kind === 'masked') {
    throw new UserError(
      `${from} has lost weights already: a ticket starts from a dense model, so give the one it comes from`,
    );
  }
}

/** SHA-256 of each tower's parameters, whichever model the tower stands in. */
export async function towerDigests(model: Model, params: TensorTree): Promise<Record<string, string>> {
  const towers = new Map<string, { name: string; tensor: HostTensor }[]>();
  for (const [path, tensor] of await downloadTree(params)) {
    const found = towerParameter(model, path);
    if (found === undefined) continue;
    towers.set(found.tower, [...(towers.get(found.tower) ?? []), { name: found.name, tensor }]);
  }
  return Object.fromEntries(
    [...towers].map(([tower, parameters]) => {
      const hash = createHash('sha256');
      parameters.sort((a, b) => (a.name < b.name ? -1 : 1));
      for (const { name, tensor } of parameters) {
        hash.update(JSON.stringify([name, tensor.shape])).update(tensor.values);
      }
      return [tower, hash.digest('hex')];
    }),
  );
}
