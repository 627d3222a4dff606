import { type DenseConfig, UserError, suggestion } from '@winnow/core';
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

/** The tasks that models of a family are for, first the one that is taken where none is named; none for parts of a model. */
export function workloadsOf(modelKind: DenseConfig['kind']): readonly WorkloadKind[] {
  const suited = workloads.filter((kind: WorkloadKind) => kind.modelKinds.includes(modelKind));
  const isLast = ({ alsoFor = [] }: WorkloadKind): boolean => alsoFor.includes(modelKind);
  return [...suited.filter((kind) => !isLast(kind)), ...suited.filter(isLast)];
}

/**
 * The task of a model of a family.
 * @param task Its name, where there is one.
 * @throws {UserError} when models of the family are for no task, or for others.
 */
export function workloadFor(modelKind: DenseConfig['kind'], task?: string): WorkloadKind {
  const suited = workloadsOf(modelKind);
  const found = task === undefined ? suited[0] : suited.find(({ name }) => name === task);
  if (found !== undefined) return found;
  throw new UserError(
    suited.length === 0
      ? `there is no task for a ${modelKind} by itself`
      : `a ${modelKind} is for ${suited.map(({ name }) => name).join(' or ')}, not for ${task}`,
  );
}

const choice = z.looseObject({ task: z.string().optional() });

/**
 * The task that option values name.
 * @throws {UserError} when there is no such task.
 */
export const workloadIn = (options: unknown): WorkloadKind => workloadNamed(chosenIn(choice, options).task);
