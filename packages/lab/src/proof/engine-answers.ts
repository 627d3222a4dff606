import {
  type AnyDenseModel,
  type Hooks,
  type Model,
  type TensorTree,
  copiesOf,
  denseConfigOf,
  dualEncoderFamily,
  downloadTensor,
  familyOf,
  lendRunning,
  pictureInputs,
  randomStream,
  resultOf,
  tidyTree,
  tokenInputs,
} from '@winnow/core';
import type { Examples, ModelPart } from '@winnow/onnx';
import type { OpenedModel } from '../model-source/open-model';
import { type ExpectedAttention, type ExpectedProduct, matrixShapes } from './expectation';

/** The engine's side of a part. */
export interface EngineSide {
  readonly fixed: Examples;
  readonly answers: Float32Array;
  readonly products: ReadonlyMap<string, ExpectedProduct>;
}

const EXAMPLES = 4;
const SEED = 21;

/**
 * Fixed examples for a part: pictures of noise, texts of random words that end at different places, from a seed of their own.
 * They are in the layout of the files.
 */
export function fixedExamples(part: ModelPart, model: OpenedModel['model']): Examples {
  const [port] = part.inputs;
  const shape = (port?.shape ?? []).slice(1).map(Number);
  const size = shape.reduce((product, extent) => product * extent, 1);
  const random = randomStream(SEED, 'proof', part.name);
  if (port?.type !== 'int64')
    return {
      count: EXAMPLES,
      shape,
      values: Float32Array.from({ length: EXAMPLES * size }, () => random.normal()),
    };
  const config = denseConfigOf(model);
  const { text } = familyOf(config).towers(config);
  const { endToken = 0, vocabulary = 1 } = text ?? {};
  const end = typeof endToken === 'number' ? endToken : vocabulary - 1;
  const values = BigInt64Array.from({ length: EXAMPLES * size }, (_, at) => {
    const place = at % size;
    const length = Math.max(1, size - 1 - Math.floor(at / size));
    const word = random.integer(vocabulary);
    return BigInt(place >= length ? end : word === end ? (word + 1) % vocabulary : word);
  });
  return { count: EXAMPLES, shape, values };
}

/** The engine's answers to examples that are laid out as for the files, so many at a time. */
export async function engineAnswers(
  { model, params }: Pick<OpenedModel, 'model' | 'params'>,
  examples: Examples,
  hooks: Hooks = {},
): Promise<Float32Array> {
  return lendRunning<TensorTree, unknown, Float32Array>(model, params, async (running, own) => {
    const size = examples.values.length / examples.count;
    const found: number[] = [];
    for (let start = 0; start < examples.count; start += BATCH) {
      const end = Math.min(examples.count, start + BATCH);
      const values = examples.values.subarray(start * size, end * size);
      const answer = tidyTree(() =>
        forward(running, own, { ...examples, count: end - start, values }, hooks),
      );
      found.push(...(await downloadTensor(answer, 'the answer')).values);
      answer.dispose();
    }
    return Float32Array.from(found);
  });
}

const BATCH = 16;
/** A tensor of the engine. */
type Tensor = Parameters<typeof downloadTensor>[0];

function forward(model: Model, params: TensorTree, { count, shape, values }: Examples, hooks: Hooks): Tensor {
  const any: AnyDenseModel = { kind: denseConfigOf(model).kind, model, params };
  const isDual = dualEncoderFamily.holds(any);
  if (values instanceof BigInt64Array) {
    const { tokens } = tokenInputs({ tokens: Int32Array.from(values, Number), texts: count });
    return isDual
      ? any.model.embedTexts(any.params, tokens, hooks)
      : logitsOf(model, params, { tokens, ...hooks });
  }
  const [channels = 1, height = 1, width = 1] = shape;
  const upload = pictureInputs({ channels, imageSize: { height, width } });
  const { images } = upload({ images: channelsLast(values, shape), size: count });
  return isDual
    ? any.model.embedImages(any.params, images, hooks)
    : logitsOf(model, params, { images, ...hooks });
}

/** [B, C, H, W] → [B, H, W, C]. */
function channelsLast(
  values: Float32Array,
  [channels = 1, height = 1, width = 1]: readonly number[],
): Float32Array {
  const pixels = height * width;
  const found = new Float32Array(values.length);
  for (let at = 0; at < values.length; at++) {
    const pixel = at % pixels;
    const channel = Math.floor(at / pixels) % channels;
    const picture = Math.floor(at / (pixels * channels));
    found[(picture * pixels + pixel) * channels + channel] = values[at] ?? 0;
  }
  return found;
}

function logitsOf(model: Model, params: TensorTree, inputs: unknown): Tensor {
  const { logits } = model.forward(params, inputs);
  if (logits === undefined) throw new Error('expected logits');
  return logits;
}

/** What the engine does with one example: rows of every product, and what attentions look at. */
export async function engineShapes(
  opened: Pick<OpenedModel, 'model' | 'params'>,
  examples: Examples,
): Promise<{
  readonly products: Map<string, ExpectedProduct>;
  readonly attentions: Map<string, ExpectedAttention>;
}> {
  const shapes = matrixShapes(opened.model);
  const products = new Map<string, ExpectedProduct>();
  const size = examples.values.length / examples.count;
  const first = { ...examples, count: 1, values: examples.values.subarray(0, size) };
  const observe = (path: string, values: Tensor) => {
    const shape = shapes.get(path);
    if (shape === undefined || path.endsWith(resultOf(''))) return;
    const [inner, columns] = shape;
    products.set(path, { rows: values.shape[0] ?? 0, inner, columns });
  };
  await engineAnswers(opened, first, { observe });
  const sites = new Map((opened.model.running?.model ?? opened.model).sites.map((site) => [site.id, site]));
  const attentions = new Map<string, ExpectedAttention>();
  for (const [path, query] of products) {
    if (!path.endsWith('.query')) continue;
    const place = path.slice(0, -'.query'.length);
    const [key, value, site] = [
      products.get(`${place}.key`),
      products.get(`${place}.value`),
      sites.get(place),
    ];
    if (key === undefined || value === undefined || site === undefined) continue;
    const heads = copiesOf(site);
    attentions.set(place, {
      heads,
      queryKeyDim: query.columns / heads,
      headDim: value.columns / heads,
      tokens: query.rows,
      context: key.rows,
    });
  }
  return { products, attentions };
}
