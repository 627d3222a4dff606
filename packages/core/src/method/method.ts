import type { z } from 'zod';
import type { Budget } from '../budget/budget';
import type { Granularity } from '../budget/requirement';
import type { Decision } from '../decision/decision';
import type { Duration } from '../duration/duration';
import type { Model } from '../families/model';
import type { CompressionRun } from '../run/compression-run';
import type { Json } from '../run/store';
import type { TensorTree } from '../tree/tree';
import { type OptionsSchema, parseOptions } from './options';

export interface Manifest {
  /** The method's name on the command line. */
  readonly name: string;
  readonly title: string;
  readonly family: string;
  /** Where the method was published. */
  readonly paper: string;
  readonly summary: string;
  /** The things that are decided about: units of sites, which is the default, whole blocks, or single weights. */
  readonly granularity?: Granularity;
  /** Whether columns may stand in several places afterwards; default false. */
  readonly sharesColumns?: true;
}

/** A method's plan for a model, known before any tensor is made. */
export interface Plan {
  readonly phases: readonly { readonly name: string; readonly duration: Duration }[];
  /** Observations without training; of a smaller split all examples. */
  readonly observations?: readonly { readonly name: string; readonly examples: number }[];
  /** The smallest share of the budget's unit that the method can reach. */
  readonly smallestKeep: number;
  /** The things that are decided about, where an option chooses others than the manifest says. */
  readonly granularity?: Granularity;
}

/** Masked parameters, of the dense shape, and the decision that cuts them. The caller owns the parameters. */
export interface Compressed {
  readonly params: TensorTree;
  readonly decision: Decision;
  /**
   * The parameters with the units that are dropped still in them, where these did something: what they did is there to be
   * reconstructed. The caller owns them too.
   */
  readonly whole?: TensorTree;
  /** Whatever else the search found, for figures and for the reader: plain data. */
  readonly findings?: Json;
}

/** A method as its author writes it: options are typed by their schema. */
export interface MethodDefinition<Schema extends OptionsSchema> {
  readonly manifest: Manifest;
  readonly options: Schema;
  /** @throws {UserError} when the method cannot meet the budget on this model. */
  plan(model: Model, budget: Budget, options: z.output<Schema>): Plan;
  compress(run: CompressionRun, options: z.output<Schema>): Promise<Compressed>;
}

/** A method with its options chosen. */
export interface ConfiguredMethod {
  readonly manifest: Manifest;
  /** All options with their values, defaults filled in. */
  readonly options: Readonly<Record<string, unknown>>;
  plan(model: Model, budget: Budget): Plan;
  compress(run: CompressionRun): Promise<Compressed>;
}

/** A method as everybody else sees it. */
export interface CompressionMethod {
  readonly manifest: Manifest;
  readonly options: OptionsSchema;
  /** @throws {UserError} on unknown or impossible options. */
  configure(values: unknown): ConfiguredMethod;
}

export function defineMethod<Schema extends OptionsSchema>(
  definition: MethodDefinition<Schema>,
): CompressionMethod {
  const { manifest } = definition;
  return {
    manifest,
    options: definition.options,
    configure: (values) => {
      const options = parseOptions(definition.options, values, `options of ${manifest.name}`);
      return {
        manifest,
        options,
        plan: (model, budget) => definition.plan(model, budget, options),
        compress: (run) => definition.compress(run, options),
      };
    },
  };
}
