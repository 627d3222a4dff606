import { z } from 'zod';
import { type GivenOptions, kebab } from './group';
import { optimizationShape } from './training';

/** `layerDecay` → `retrainLayerDecay`. */
const keyAfterCut = (key: string): string => `retrain${key.charAt(0).toUpperCase()}${key.slice(1)}`;

/** Options that every training of a run has, for the one after the cut alone: none is filled in. */
const otherwise = (shape: Readonly<Record<string, z.ZodType>>): Readonly<Record<string, z.ZodType>> =>
  Object.fromEntries(
    Object.entries(shape).map(([key, schema]) => {
      const given = schema instanceof z.ZodDefault ? schema.unwrap() : schema;
      const text = `--${kebab(key)} of the training after the cut alone; default: that of every training`;
      return [keyAfterCut(key), z.optional(given).describe(text)];
    }),
  );

const { layerDecay, warmup } = optimizationShape;

/** Options of the training after the cut: each is called as in `train`, with `retrain` before it. */
export const retrainingShape = otherwise({ layerDecay, warmup });

/** The options of a run, as the training after the cut has them: by the names that they have in `train`. */
export function ofRetraining(options: GivenOptions): GivenOptions {
  const given = Object.entries(options).flatMap(([key, value]) => {
    const name = /^retrain([A-Z])(.*)$/.exec(key);
    return name === null || value === undefined
      ? []
      : [[`${name[1]?.toLowerCase()}${name[2]}`, value] as const];
  });
  return { ...options, ...Object.fromEntries(given) };
}
