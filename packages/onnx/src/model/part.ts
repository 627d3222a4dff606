import {
  type AnyDenseModel,
  type ModelConfig,
  type Observe,
  type ParameterSpec,
  type TensorTree,
  type TextTowerConfig,
  UserError,
  type VisionTowerConfig,
  buildTree,
  blipFamily,
  dualEncoderFamily,
  familyOf,
  isMasked,
  modelOf,
  resultOf,
  sidesOf,
  viltFamily,
} from '@winnow/core';
import {
  type NamedTensorMap,
  type Tensor,
  type Tensor2D,
  type Tensor4D,
  reshape,
  transpose,
} from '@tensorflow/tfjs-core';
import type { GraphPort } from '../graph/graph';
import type { TracedPass, Tracer } from '../trace/trace';

/** The batch in the shapes of a graph. */
export const BATCH = 'batch';

/** A part of a model that is a file by itself. */
export interface ModelPart {
  readonly name: 'model' | 'vision' | 'text';
  readonly inputs: readonly GraphPort[];
  /** The pass for a batch of so many; what it names is what the file gives. */
  passAt(batch: number): TracedPass;
}

/** The model with stand-ins for its parameters. */
type ModelWith = (tracer: Tracer) => AnyDenseModel;

/**
 * The parts of a model: the whole of it where it has one tower (`logits`, or the embeddings that it ends in), and each
 * tower of a dual encoder (`image_embeds`, `text_embeds`, of length 1). Names and layouts are those of `transformers`:
 * pictures are [B, C, H, W]. Zeros of masks stand in the parameters, so a masked model is its dense one.
 * @throws {UserError} when its family takes something else than pictures or texts, its tokens merge, or it is a BLIP.
 */
export function modelParts({ config }: { readonly config: ModelConfig }): readonly ModelPart[] {
  const dense = isMasked(config) ? config.model : config;
  const family = familyOf(dense);
  const model = modelOf(dense);
  const { vision, text: textTower } = family.towers(dense);
  if (viltFamily.is(dense) && dense.head.kind === 'statements')
    throw new UserError(
      'ONNX: a vilt for statements takes two pictures at once, for which there is no layout here',
    );
  const text = viltFamily.is(dense) ? dense.text : textTower;
  if (vision?.merging !== undefined)
    throw new UserError(
      'ONNX: like tokens of this model merge on the way, for which there are no operators here',
    );
  if (blipFamily.is(dense))
    throw new UserError(
      'ONNX: a blip reads and writes texts about what it sees, for which there are no files here: keep it as --format safetensors',
    );
  const modelWith: ModelWith = (tracer) => ({
    kind: dense.kind,
    model,
    params: buildTree<ParameterSpec, TensorTree>(model.specs, ({ shape }, path) =>
      tracer.parameter(path, shape),
    ),
  });
  if (vision !== undefined && text !== undefined && !dualEncoderFamily.is(dense)) {
    const inputs = [picturePort(vision), textPort(text)];
    return [
      {
        name: 'model',
        inputs,
        passAt: (batch) => (tracer) => {
          const [images, tokens] = inputs.map((port) => givenBy(tracer, port, batch));
          if (images === undefined || tokens === undefined) throw new RangeError('expected two inputs');
          const given = { images: picturesFrom(images), tokens, observe: labelling(tracer) };
          return answersIn(model.forward(modelWith(tracer).params, given), batch);
        },
      },
    ];
  }
  if (vision !== undefined && text !== undefined) {
    return [
      part('vision', picturePort(vision), (images, tracer) => {
        const { model, params } = dualEncoderIn(modelWith(tracer));
        return {
          image_embeds: model.embedImages(params, picturesFrom(images), { observe: labelling(tracer) }),
        };
      }),
      part('text', textPort(text), (tokens, tracer) => {
        const { model, params } = dualEncoderIn(modelWith(tracer));
        return { text_embeds: model.embedTexts(params, matrixFrom(tokens), { observe: labelling(tracer) }) };
      }),
    ];
  }
  const answer = (
    tracer: Tracer,
    inputs: NamedTensorMap,
    embedding: string,
    batch: number,
  ): NamedTensorMap => {
    const prediction = model.forward(modelWith(tracer).params, { ...inputs, observe: labelling(tracer) });
    const { logits } = prediction;
    if (logits === undefined) throw new UserError(`ONNX: a ${dense.kind} predicts no logits`);
    return answersIn({ [family.classes(dense) > 0 ? 'logits' : embedding]: logits }, batch);
  };
  if (vision !== undefined) {
    return [
      part('model', picturePort(vision), (images, tracer) =>
        answer(tracer, { images: picturesFrom(images) }, 'image_embeds', images.shape[0] ?? 1),
      ),
    ];
  }
  if (text !== undefined)
    return [
      part('model', textPort(text), (tokens, tracer) =>
        answer(tracer, { tokens }, 'text_embeds', tokens.shape[0] ?? 1),
      ),
    ];
  throw new UserError(`ONNX: a ${dense.kind} takes something else than pictures or texts`);
}

function part(
  name: ModelPart['name'],
  input: GraphPort,
  run: (given: Tensor, tracer: Tracer) => NamedTensorMap,
): ModelPart {
  return {
    name,
    inputs: [input],
    passAt: (batch) => (tracer) => run(givenBy(tracer, input, batch), tracer),
  };
}

function givenBy(tracer: Tracer, { name, type, shape }: GraphPort, batch: number): Tensor {
  const extents = shape.map((extent) => (typeof extent === 'number' ? extent : batch));
  return tracer.input(name, extents, type === 'int64' ? 'int32' : 'float32');
}

/** Answers by name, with the batch as an axis; those of layers before the last, which have numbers, help to learn. */
function answersIn(prediction: Readonly<Record<string, Tensor>>, batch: number): NamedTensorMap {
  return Object.fromEntries(
    Object.entries(prediction).flatMap(([name, tensor]): [string, Tensor][] => {
      if (/\d$/.test(name)) return [];
      const [rows = 0, ...rest] = tensor.shape;
      return [[name, rows === batch ? tensor : reshape(tensor, [batch, rows / batch, ...rest])]];
    }),
  );
}

function picturePort({ imageSize, channels }: VisionTowerConfig): GraphPort {
  const { height, width } = sidesOf(imageSize);
  return { name: 'pixel_values', type: 'float32', shape: [BATCH, channels, height, width] };
}

const textPort = ({ context }: Pick<TextTowerConfig, 'context'>): GraphPort => ({
  name: 'input_ids',
  type: 'int64',
  shape: [BATCH, context],
});

/** [B, C, H, W] → [B, H, W, C]. */
function picturesFrom(images: Tensor): Tensor4D {
  if (isOfFour(images)) return transpose(images, [0, 2, 3, 1]);
  throw new RangeError(`expected pictures [B, C, H, W], got ${images.rank} axes`);
}

function matrixFrom(tokens: Tensor): Tensor2D {
  if (isOfTwo(tokens)) return tokens;
  throw new RangeError(`expected tokens [B, T], got ${tokens.rank} axes`);
}

const isOfFour = (tensor: Tensor): tensor is Tensor4D => tensor.rank === 4;
const isOfTwo = (tensor: Tensor): tensor is Tensor2D => tensor.rank === 2;

function dualEncoderIn(any: AnyDenseModel) {
  if (dualEncoderFamily.holds(any)) return any;
  throw new UserError(`ONNX: a ${any.kind} has two towers, but nothing says which file is which`);
}

/** Tells the tracer which linear map comes next. */
const labelling = (tracer: Tracer): Observe => {
  return (path) => {
    if (!path.endsWith(resultOf(''))) tracer.label(path);
  };
};
