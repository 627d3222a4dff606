import type { BatchSource, HostTensor, Json, Model, DenseConfig, Splits, Task } from '@winnow/core';
import type { BrokenPicture, DataIdentity } from '@winnow/data';
import type { Companions } from '@winnow/formats';
import type { z } from 'zod';
import type { OpenedModel } from '../model-source/open-model';
import type { DataChoice } from '../options/training';

/** Facts about the data of a run, as its summary tells them. */
export interface DataFacts {
  readonly name: string;
  /** The things that pictures come with, where they are neither classes nor texts: `masks of 9 classes`. */
  readonly shows?: string;
  readonly classes?: number;
  readonly train: number;
  readonly validation: number;
  readonly test: number;
}

export type SplitName = keyof Splits<unknown>;

/** All parts of the data, as a training uses them. */
export const everySplit: readonly SplitName[] = ['train', 'validation', 'test'];

/** Choices for a task's own parameters: they go on where they fit the task, or are drawn anew. */
export const headChoices = ['kept', 'new'] as const;
export type HeadChoice = (typeof headChoices)[number];

/** Sizes of the batches of a training, and what their order comes from. */
export interface BatchChoice {
  readonly batchSize: number;
  readonly seed: number;
  /** The probability of painting over a rectangle of a picture, where that is not the data's own. */
  readonly eraseProbability?: number;
}

/** A model's answer to an example, for people to look at. */
export interface Said {
  /** Its pictures, small, as data URIs. */
  readonly pictures: readonly string[];
  /** The question, or the statement; empty where nothing is asked. */
  readonly asked: string;
  /** One right answer. */
  readonly right: string;
  readonly said: string;
  /** In a task that finds objects: those of the example's picture, and those that the model found. */
  readonly boxes?: { readonly right: readonly ShownBox[]; readonly found: readonly ShownBox[] };
}

/** A box that is drawn onto a picture. */
export interface ShownBox {
  /** In shares of the picture's width and height. */
  readonly box: readonly [left: number, top: number, right: number, bottom: number];
  readonly label: string;
}

/** A task on opened data: the commands need not know which one it is. */
export interface Workload extends Splits<unknown> {
  readonly facts: DataFacts;
  /** Facts about it that a saved model remembers. */
  readonly origin: Readonly<Record<string, Json>>;
  /** Names of a classifier's classes, in the order of its logits. */
  readonly classNames?: readonly string[];
  /** Broken pictures that were left out, as was asked for; none where nothing is said. */
  readonly skipped?: readonly BrokenPicture[];
  /** Files that stand beside a saved model, by name. */
  readonly companions: Companions;
  /**
   * Notes for a person on how the data was found, and on the splits that are used; a line each. Of several splits, whether they
   * share pictures.
   * @throws {DataError} when a picture cannot be read.
   */
  notesOn(splits: readonly SplitName[]): Promise<readonly string[]>;
  /** @throws {UserError} when the model was made for other data. */
  checkFit(model: Model): void;
  /**
   * The batches of a training, where its options say how they are varied.
   * @param training The options of `trainingShape`, others may stand beside them.
   */
  batches?(options: BatchChoice, training: unknown): BatchSource<unknown>;
  /** @param training The options of `trainingShape`. */
  taskOf(model: Model, training?: unknown): Task;
  /** Puts the task's answer to a batch of one example into words, where a task answers so. */
  said?(answer: unknown, batch: unknown): Promise<Said>;
}

/** Parameters of another model by their names, as a model takes them over. */
export type Taken = (parameters: ReadonlyMap<string, HostTensor>) => ReadonlyMap<string, HostTensor>;

/** Data, and a model for them that goes on from another. */
export interface Adapted {
  readonly workload: Workload;
  readonly model: Model;
  /** The treatment of parameters that the model has in another shape; without it they are taken as they are, where they fit. */
  readonly taken?: Taken;
}

/** A task that the command line offers: one literal in the table. */
export interface WorkloadKind {
  readonly name: string;
  /** The families whose models it is for; several tasks may be for one. */
  readonly modelKinds: readonly DenseConfig['kind'][];
  /** Families among them whose models are for another task where none is named. */
  readonly alsoFor?: readonly DenseConfig['kind'][];
  readonly defaultData: string;
  /** Whether data of that name or path are for this task, as far as can be told without opening them. */
  fits(data: string): Promise<boolean>;
  /** Options of a new model. */
  readonly modelShape: z.ZodRawShape;
  /** Options of its data, beside the common ones. */
  readonly dataShape: z.ZodRawShape;
  /** Options of a model that there is and whose head goes on. */
  readonly givenShape: z.ZodRawShape;
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
   * @param options Those of `dataShape` and `givenShape`, others may stand beside them.
   * @param head Of the model that there is: a head that goes on says what its classes are.
   * @throws {UserError} when the task needs a tower that the model does not have, or a head that goes on is for other
   * classes of the same number.
   */
  adapt(choice: DataChoice, opened: OpenedModel, options: unknown, head: HeadChoice): Promise<Adapted>;
  /**
   * Identifies the content of the data at a path, or of a name; nothing is decoded.
   * @param options Those of `dataShape`, others may stand beside them.
   * @throws {DataError} when there is no such data, or it is not as it should be.
   */
  identify(data: string, options: unknown): Promise<DataIdentity>;
  /**
   * Data for a model that there is, with its labels as the model numbers its classes.
   * @param options Those of `dataShape` and `givenShape`, others may stand beside them.
   * @throws {UserError} when the model is for another task, or for other classes of the same number.
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
