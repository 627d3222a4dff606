import {
  type AnyDenseModel,
  type BlipConfig,
  type Memory,
  blipFamily,
  exampleUsage,
  leadingTokens,
  pairsOf,
  tokenCount,
  tokensLeft,
} from '@winnow/core';
import { type NamedTensorMap, type Tensor2D, reshape } from '@tensorflow/tfjs-core';
import type { PartDescription } from './part';
import { givenAt, matrixIn, picturePort, picturesIn, textPort, tokensIn, valuesPort } from './ports';

/**
 * The files of a BLIP: `vision` gives the `image_states` of a picture; `grounded` reads texts about them, and gives what a decoder looks
 * at (`text_states`, `text_mask`), whether a statement is true of two pictures (`logits`) or a text matches one (`matches`); `decoder`
 * gives the `logits` of the next word at each place of texts about either; `text` reads texts by themselves. For retrieval `vision` and
 * `text` give embeddings of length 1. Where tokens of pictures merge, `image_counts` says beside `image_states` as how many each counts.
 */
export function blipFiles(config: BlipConfig): readonly PartDescription[] {
  const { purpose, vision, encoder, decoder, tokens } = config;
  const { pictures } = exampleUsage(purpose);
  const left = tokensSeen(vision);
  const seenShape = [left, vision.tower.embedDim];
  const ofPictures = (name: string, shape: readonly number[]) =>
    valuesPort(name, pictures === 1 ? shape : [pictures, ...shape]);
  const seenPorts = [
    ofPictures('image_states', seenShape),
    ...(vision.merging === undefined ? [] : [ofPictures('image_counts', [left])]),
  ];
  const files: PartDescription[] = [
    {
      name: 'vision',
      inputs: [picturePort(vision)],
      times: pictures,
      answer: (any, inputs, hooks = {}) => {
        const { model, params } = blipIn(any);
        const seen = model.passes.see(params, picturesIn(inputs), hooks);
        return {
          image_states: reshape(seen.states, [-1, ...seenShape]),
          ...(seen.counts === undefined ? {} : { image_counts: seen.counts }),
          ...(purpose === 'retrieval'
            ? { image_embeds: model.passes.embedPictures(params, seen, hooks) }
            : {}),
        };
      },
    },
  ];
  if (encoder !== undefined) {
    const reading = { inputs: [textPort(encoder)], texts: { ...encoder, endToken: tokens.end } };
    if (purpose === 'retrieval')
      files.push({
        ...reading,
        name: 'text',
        answer: (any, inputs, hooks = {}) => {
          const { model, params } = blipIn(any);
          return { text_embeds: model.passes.embedTexts(params, tokensIn(inputs), hooks) };
        },
      });
    files.push({
      ...reading,
      name: 'grounded',
      inputs: [...reading.inputs, ...seenPorts],
      answer: (any, inputs, hooks = {}) => {
        const { model, params } = blipIn(any);
        const seen = seenIn(inputs);
        const read = tokensIn(inputs);
        if (purpose === 'statements')
          return { logits: model.passes.judge(params, read, pairsOf(seen), hooks) };
        if (purpose === 'retrieval') return { matches: model.passes.match(params, read, seen, hooks) };
        const { states, tokens: length, counts } = model.passes.ask(params, read, seen, hooks);
        if (counts === undefined) throw new RangeError('expected the tokens that are read');
        return { text_states: reshape(states, [-1, length, encoder.embedDim]), text_mask: counts };
      },
    });
  }
  if (decoder !== undefined) {
    const readPorts =
      encoder === undefined
        ? seenPorts
        : [
            valuesPort('text_states', [encoder.context, encoder.embedDim]),
            valuesPort('text_mask', [encoder.context]),
          ];
    files.push({
      name: 'decoder',
      inputs: [textPort(decoder), ...readPorts],
      texts: {
        ...decoder,
        endToken: tokens.end,
        ...(purpose === 'questions' ? { are: 'answers' as const } : {}),
      },
      answer: (any, inputs, hooks = {}) => {
        const { model, params } = blipIn(any);
        const memory =
          encoder === undefined
            ? seenIn(inputs)
            : { ...memoryIn(inputs, 'text_states'), counts: matrixIn(inputs, 'text_mask') };
        const logits = model.passes.write(params, tokensIn(inputs), memory, hooks);
        return { logits: reshape(logits, [-1, decoder.context, decoder.vocabulary]) };
      },
    });
  }
  return files;
}

/** [B, …, T, D] → the memory of all B, or of 2·B pictures, [N·T, D]. */
function memoryIn(
  inputs: NamedTensorMap,
  name: string,
): { readonly states: Tensor2D; readonly tokens: number } {
  const given = givenAt(inputs, name);
  const [tokens = 1, width = 1] = given.shape.slice(-2);
  return { states: reshape(given, [-1, width]), tokens };
}

function seenIn(inputs: NamedTensorMap): Memory {
  const memory = memoryIn(inputs, 'image_states');
  const { image_counts: counts } = inputs;
  if (counts === undefined) return memory;
  return { ...memory, counts: reshape(counts, [-1, memory.tokens]) };
}

/** Tokens of a picture that texts look at: those that are left where some merge. */
function tokensSeen(vision: BlipConfig['vision']): number {
  const tokens = tokenCount(vision);
  if (vision.merging === undefined) return tokens;
  const passage = { blocks: vision.tower.blocks.length, tokens, leading: leadingTokens(vision) };
  return tokensLeft(vision.merging, passage).at(-1) ?? tokens;
}

function blipIn(any: AnyDenseModel) {
  if (blipFamily.holds(any)) return any;
  throw new RangeError(`expected a blip, got a ${any.kind}`);
}
