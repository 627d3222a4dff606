import type { Json, Model, DenseConfig, Splits, Task } from '@winnow/core';
import type { z } from 'zod';
import type { OpenedModel } from '../model-source/open-model';
import type { DataChoice } from '../options/training';

/** What a summary says of the data of a run. */
export interface DataFacts {
  readonly name: string;
  readonly classes?: number;
  readonly train: number;
  readonly validation: number;
  readonly test: number;
}

/** A task on opened data: the commands need not know which one it is. */
export interface Workload extends Splits<unknown> {
  readonly facts: DataFacts;
  /** What a person should know about how the data was found, a line each. */
  readonly notes: readonly string[];
  /** What a saved model remembers of it. */
  readonly origin: Readonly<Record<string, Json>>;
  /** Files that stand beside a saved model, by name. */
  readonly companions: Readonly<Record<string, string>>;
  /** @throws {UserError} when the model was made for other data. */
  checkFit(model: Model): void;
  /** @param training The options of `trainingShape`. */
  taskOf(model: Model, training?: unknown): Task;
}

/** A task that the command line offers: one literal in the table. */
export interface WorkloadKind {
  readonly name: string;
  /** What a model for it is. */
  readonly modelKind: DenseConfig['kind'];
  readonly defaultData: string;
  /** Options of a new model. */
  readonly modelShape: z.ZodRawShape;
  /** Options of its data, beside the common ones. */
  readonly dataShape: z.ZodRawShape;
  /** Options of every training on this task. */
  readonly trainingShape: z.ZodRawShape;
  /**
   * Data, and a new model for it without parameters.
   * @param options Those of `modelShape` and `dataShape`, others may stand beside them.
   * @throws {UserError} when they do not fit together. @throws {DataError} when there is no such data.
   */
  create(choice: DataChoice, options: unknown): Promise<{ workload: Workload; model: Model }>;
  /**
   * Data, and a model for it with the towers of one that there is; its parameters are not made.
   * @param options Those of `dataShape`, others may stand beside them.
   * @throws {UserError} when the task needs a tower that the model does not have.
   */
  adapt(
    choice: DataChoice,
    opened: OpenedModel,
    options: unknown,
  ): Promise<{ workload: Workload; model: Model }>;
  /**
   * Data for a model that there is.
   * @param options Those of `dataShape`, others may stand beside them.
   */
  open(choice: DataChoice, opened: OpenedModel, options: unknown): Promise<Workload>;
}

/** The numbers of examples. */
export const sizesOf = ({
  train,
  validation,
  test,
}: Splits<unknown>): Pick<DataFacts, 'train' | 'validation' | 'test'> => ({
  train: train.size,
  validation: validation.size,
  test: test.size,
});
