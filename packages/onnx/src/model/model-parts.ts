import {
  type AnyDenseModel,
  type DenseConfig,
  type Family,
  type ModelConfig,
  type Observe,
  type ParameterSpec,
  type TensorTree,
  UserError,
  blipFamily,
  buildTree,
  clipTextFamily,
  dualEncoderFamily,
  familyOf,
  glipFamily,
  isMasked,
  lxmertFamily,
  mdetrFamily,
  modelOf,
  resultOf,
  segmenterFamily,
  uniterFamily,
  viltFamily,
  visionTransformerFamily,
} from '@winnow/core';
import { type NamedTensorMap, type Tensor, reshape } from '@tensorflow/tfjs-core';
import type { Tracer } from '../trace/trace';
import { blipFiles } from './blip-files';
import { detectorFile } from './detector-file';
import { regionFile } from './region-file';
import type { ModelPart, PartDescription } from './part';
import { BATCH, picturePairPort, picturePort, picturesIn, textPort, tokensIn } from './ports';

/**
 * The parts of a model: the whole of it where it has one tower or reads pictures and texts together (`logits`, the embeddings that it
 * ends in, or all that it finds), and each tower of a dual encoder (`image_embeds`, `text_embeds`, of length 1). Names and layouts are
 * those of `transformers`: pictures are [B, C, H, W], two of a statement [B, 2, C, H, W]. Zeros of masks stand in the parameters, so a masked model is its dense one.
 * A BLIP's are in `blipFiles`.
 * @throws {UserError} when nobody has proved files of its family.
 */
export function modelParts({ config }: { readonly config: ModelConfig }): readonly ModelPart[] {
  const dense = isMasked(config) ? config.model : config;
  return describedParts(dense).map((part) => traceable(part, dense));
}

function describedParts(dense: DenseConfig): readonly PartDescription[] {
  const family = familyOf(dense);
  const { vision, text: textTower } = family.towers(dense);
  const text = viltFamily.is(dense) ? dense.text : textTower;
  if (blipFamily.is(dense)) return blipFiles(dense);
  if (uniterFamily.is(dense) || lxmertFamily.is(dense)) return [regionFile(dense)];
  if (glipFamily.is(dense)) return [detectorFile(dense)];
  if (!proved.some((own) => own.is(dense)))
    throw new UserError(
      `ONNX: there are no files of a ${dense.kind} here that could be proved: keep it as --format safetensors`,
    );
  if (vision !== undefined && text !== undefined && dualEncoderFamily.is(dense)) {
    return [
      {
        name: 'vision',
        inputs: [picturePort(vision)],
        answer: (any, inputs, hooks = {}) => {
          const { model, params } = dualEncoderIn(any);
          return { image_embeds: model.embedImages(params, picturesIn(inputs), hooks) };
        },
      },
      {
        name: 'text',
        inputs: [textPort(text)],
        texts: text,
        answer: (any, inputs, hooks = {}) => {
          const { model, params } = dualEncoderIn(any);
          return { text_embeds: model.embedTexts(params, tokensIn(inputs), hooks) };
        },
      },
    ];
  }
  const ofPictures = hasPairs(dense) ? picturePairPort : picturePort;
  const inputs = [
    ...(vision === undefined ? [] : [ofPictures(vision)]),
    ...(text === undefined ? [] : [textPort(text)]),
  ];
  const isAlone = vision === undefined || text === undefined;
  const embedding = vision === undefined ? 'text_embeds' : 'image_embeds';
  return [
    {
      name: 'model',
      inputs,
      ...(text === undefined ? {} : { texts: text }),
      answer: ({ model, params }, given, hooks = {}) => {
        const prediction = model.forward(params, {
          ...(vision === undefined ? {} : { images: picturesIn(given) }),
          ...(text === undefined ? {} : { tokens: tokensIn(given) }),
          ...hooks,
        });
        const { logits } = prediction;
        if (logits === undefined) throw new UserError(`ONNX: a ${dense.kind} predicts no logits`);
        const [batch = 1] = Object.values(given)[0]?.shape ?? [];
        if (!isAlone) return answersIn(prediction, batch);
        return answersIn({ [family.classes(dense) > 0 ? 'logits' : embedding]: logits }, batch);
      },
    },
  ];
}

/** Whether a text is about two pictures at once. */
const hasPairs = (config: DenseConfig): boolean => viltFamily.is(config) && config.head.kind === 'statements';

/** Families of which one file, or one of each tower, is known to be the model. */
const proved: readonly Family[] = [
  visionTransformerFamily,
  clipTextFamily,
  dualEncoderFamily,
  segmenterFamily,
  viltFamily,
  mdetrFamily,
];

/** A part with the pass that is traced: the engine's own, of stand-ins for parameters. */
function traceable({ times = 1, ...part }: PartDescription, dense: DenseConfig): ModelPart {
  const model = modelOf(dense);
  return {
    ...part,
    times,
    passAt: (batch) => (tracer) => {
      const params = buildTree<ParameterSpec, TensorTree>(model.specs, ({ shape }, path) =>
        tracer.parameter(path, shape),
      );
      const inputs = Object.fromEntries(
        part.inputs.map(({ name, type, shape }): [string, Tensor] => {
          const extents = shape.map((extent) => (extent === BATCH ? batch : Number(extent)));
          return [name, tracer.input(name, extents, type === 'int64' ? 'int32' : 'float32')];
        }),
      );
      return part.answer({ kind: dense.kind, model, params }, inputs, { observe: labelling(tracer) });
    },
  };
}

/** Answers by name, with the batch as an axis; those of layers before the last, which have numbers, help to learn. */
function answersIn(prediction: Readonly<Record<string, Tensor>>, batch: number): NamedTensorMap {
  return Object.fromEntries(
    Object.entries(prediction).flatMap(([name, tensor]): [string, Tensor][] => {
      if (ofLayer.test(name)) return [];
      const [rows = 0, ...rest] = tensor.shape;
      return [[name, rows === batch ? tensor : reshape(tensor, [batch, rows / batch, ...rest])]];
    }),
  );
}

const ofLayer = /^(?:logits|boxes|aligned)\d+$/;

function dualEncoderIn(any: AnyDenseModel) {
  if (dualEncoderFamily.holds(any)) return any;
  throw new UserError(`ONNX: a ${any.kind} has two towers, but nothing says which file is which`);
}

/** Tells the tracer which map comes next. */
const labelling = (tracer: Tracer): Observe => {
  return (path) => {
    if (!path.endsWith(resultOf(''))) tracer.label(path);
  };
};
