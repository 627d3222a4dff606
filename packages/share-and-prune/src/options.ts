import { durationOption } from '@winnow/core';
import { z } from 'zod';

const structureShape = {
  search: durationOption
    .default('10ep')
    .describe('how long weights and structure are learned in turn; epochs of the weights'),
  subset: z
    .number()
    .positive()
    .max(1)
    .default(0.1)
    .describe('|D_sub|: share of the training data that the structure is learned on'),
  passes: z
    .number()
    .positive()
    .default(1)
    .describe('passes over that share in every epoch: more of them are more updates of the hypernetwork'),
  hypernetworkLearningRate: z
    .number()
    .positive()
    .default(1e-3)
    .describe("constant learning rate of the hypernetwork; small data needs more than the paper's"),
  hypernetworkWeightDecay: z.number().nonnegative().default(1e-4).describe("the hypernetwork's weight decay"),
  budgetPenalty: z
    .number()
    .positive()
    .default(6)
    .describe('λ: weight of the parameters beyond the budget in the loss of the structure'),
  bias: z
    .number()
    .default(3)
    .describe('b: added to what the hypernetwork says, so that everything is kept at first'),
  temperature: z.number().positive().default(0.4).describe('τ of the Gumbel-sigmoid'),
};

const alignmentShape = {
  learningRate: z
    .number()
    .positive()
    .default(2e-4)
    .describe('constant learning rate of the weights while the structure is learned'),
  weightDecay: z.number().nonnegative().default(0.05).describe("AdamW's weight decay of the weights"),
  alignmentPenalty: z
    .number()
    .nonnegative()
    .default(5e-4)
    .describe('γ: weight of R_w, which draws shared columns together and pruned ones to zero'),
};

const blocksShape = {
  blocks: z
    .int()
    .positive()
    .default(3)
    .describe('|B|: blocks of text layers; the layers of a block may share with its first'),
};

export const fullSharingOptions = z.object({});
export const pairedOptions = z.object({ ...structureShape, ...alignmentShape });
export const blockOptions = z.object({ ...structureShape, ...alignmentShape, ...blocksShape });
export const unalignedOptions = z.object({ ...structureShape, ...blocksShape });

export type StructureOptions = z.output<z.ZodObject<typeof structureShape>>;
export type AlignmentOptions = Pick<
  z.output<typeof blockOptions>,
  'learningRate' | 'weightDecay' | 'alignmentPenalty'
>;
