import { UserError } from '@winnow/core';
import { z } from 'zod';
import type { GivenOptions } from './group';

/** Options that were published together; what is given goes before them. */
interface Recipe {
  readonly name: string;
  /** The tasks that it is for. */
  readonly tasks: readonly string[];
  options(given: { readonly batchSize: number }): GivenOptions;
}

/**
 * MAE's end-to-end fine-tuning (He et al., 2022, Appendix A.1, Table 9, which follows BEiT: Bao et al., 2022): AdamW with a
 * weight decay of 0.05, learning rate 1e-3 · batch/256 along a cosine after a warm-up of 5 epochs in 100, learning-rate
 * decay by layer 0.75, label smoothing 0.1, mixup 0.8, CutMix 1.0, stochastic depth 0.1, no clipping.
 * Left out: the 100 epochs (say a --duration, which for a few thousand pictures decides most), and β₂, which is the same as
 * ours. RandAugment (2 operations of magnitude 9) and erasing (0.25) are in the augmentation `standard`, whose crops keep
 * 35 % or more of a picture in place of 8 %, as a few thousand pictures teach too little context otherwise.
 */
const fineTune: Recipe = {
  name: 'fine-tune',
  tasks: ['classification'],
  options: ({ batchSize }) => ({
    optimizer: 'adamw',
    learningRate: (1e-3 * batchSize) / 256,
    weightDecay: 0.05,
    layerDecay: 0.75,
    warmup: 0.05,
    clipNorm: 0,
    labelSmoothing: 0.1,
    mixup: 0.8,
    cutmix: 1,
    stochasticDepth: 0.1,
    augmentation: 'standard',
  }),
};

const recipes: readonly Recipe[] = [fineTune];

export const recipeShape = {
  recipe: z
    .enum(['none', ...recipes.map(({ name }) => name)])
    .default('none')
    .describe(
      "Defaults published together, for --from; what is given goes before them. fine-tune: MAE's of a classifier (layer decay 0.75 …)",
    ),
};

const chosen = z.looseObject({
  recipe: z.string().optional(),
  from: z.unknown().optional(),
  task: z.string().default('classification'),
  batchSize: z.number().default(64),
});

/**
 * Options with those of the recipe that they name, where they do not say otherwise. A recipe that is not known, or an option
 * that is of another kind than it should be, is left for the options' schema to refuse.
 * @throws {UserError} when the recipe is for another task, or for a model that there is.
 */
export function withRecipe(given: GivenOptions): GivenOptions {
  const { data } = chosen.safeParse(given);
  const recipe = recipes.find(({ name }) => name === data?.recipe);
  if (recipe === undefined || data === undefined) return given;
  if (!recipe.tasks.includes(data.task))
    throw new UserError(`recipe ${recipe.name} is for ${recipe.tasks.join(', ')}, not for ${data.task}`);
  if (data.from === undefined)
    throw new UserError(`recipe ${recipe.name} trains on from a model that there is: name one with --from`);
  return { ...recipe.options(data), ...given };
}
