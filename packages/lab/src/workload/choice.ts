import { UserError, suggestion } from '@winnow/core';
import { z } from 'zod';
import { chosenIn } from '../options/given';
import { workloads } from '../table';
import type { WorkloadKind } from './workload';

const names = workloads.map(({ name }) => name);
const DEFAULT = 'classification';

export const taskShape = {
  task: z.enum(names).default(DEFAULT).describe('What the model is for'),
};

/** @throws {UserError} when there is no such task, with the nearest one that there is. */
export function workloadNamed(name: string = DEFAULT): WorkloadKind {
  const found = workloads.find((kind) => kind.name === name);
  if (found !== undefined) return found;
  const near = suggestion(name, names);
  throw new UserError(
    `unknown task ${name}; ${near === undefined ? `known are ${names.join(', ')}` : `did you mean ${near}?`}`,
  );
}

/** The task that models of a kind are for; undefined where they are only a part of one. */
export const ownWorkload = (modelKind: WorkloadKind['modelKind']): WorkloadKind | undefined =>
  workloads.find((kind) => kind.modelKind === modelKind);

/**
 * The task that models of a kind are for.
 * @throws {UserError} when there is none.
 */
export function workloadFor(modelKind: WorkloadKind['modelKind']): WorkloadKind {
  const found = ownWorkload(modelKind);
  if (found !== undefined) return found;
  throw new UserError(`there is no task for a ${modelKind} by itself`);
}

const choice = z.looseObject({ task: z.string().optional() });

/**
 * The task that option values name.
 * @throws {UserError} when there is no such task.
 */
export const workloadIn = (options: unknown): WorkloadKind => workloadNamed(chosenIn(choice, options).task);
