import {
  type AnyDenseModel,
  type BlipConfig,
  UserError,
  blipFamily,
  exampleUsage,
  pairsOf,
  tokenCount,
} from '@winnow/core';
import { type NamedTensorMap, type Tensor2D, reshape } from '@tensorflow/tfjs-core';
import type { PartDescription } from './part';
import { givenAt, matrixIn, picturePort, picturesIn, textPort, tokensIn, valuesPort } from './ports';

/**
 * The files of a BLIP: `vision` gives the `image_states` of a picture; `grounded` reads texts about them, and gives what a decoder looks
 * at (`text_states`, `text_mask`), whether a statement is true of two pictures (`logits`) or a text matches one (`matches`); `decoder`
 * gives the `logits` of the next word at each place of texts about either; `text` reads texts by themselves. For retrieval `vision` and
 * `text` give embeddings of length 1.
 * @throws {UserError} when its tokens merge.
 */
export function blipFiles(config: BlipConfig): readonly PartDescription[] {
  const { purpose, vision, encoder, decoder, tokens } = config;
  if (vision.merging !== undefined)
    throw new UserError('ONNX: like tokens of this blip merge on the way, for which there are no files here');
  const { pictures } = exampleUsage(purpose);
  const seenShape = [tokenCount(vision), vision.tower.embedDim];
  const seenPort = valuesPort('image_states', pictures === 1 ? seenShape : [pictures, ...seenShape]);
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
      inputs: [...reading.inputs, seenPort],
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
        ? [seenPort]
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

const seenIn = (inputs: NamedTensorMap) => memoryIn(inputs, 'image_states');

function blipIn(any: AnyDenseModel) {
  if (blipFamily.holds(any)) return any;
  throw new RangeError(`expected a blip, got a ${any.kind}`);
}
