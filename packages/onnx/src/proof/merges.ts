import { create, toBinary } from '@bufbuild/protobuf';
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  type ModelProto,
  ModelProtoSchema,
  NodeProtoSchema,
  ValueInfoProtoSchema,
} from 'onnx-buf';
import { elementNumbers } from '../graph/builder';
import type { Answers, MeasuredMerge, MeasuredProduct } from './job';

/** Products that send tokens to their places: their left operand says where. */
const MERGING = /\.merge\.(?:counts|sums)$/;
const outputOf = (product: string): string => `${product}:places`;

/** A file that also gives what tokens are sent to their places by, in float32; undefined of one in which none merge. */
export function watchedMerges(model: ModelProto): Uint8Array | undefined {
  const { graph } = model;
  const merging = (graph?.node ?? []).filter(({ name, opType }) => opType === 'MatMul' && MERGING.test(name));
  if (graph === undefined || merging.length === 0) return undefined;
  const watching = merging.map(({ name, input }) =>
    create(NodeProtoSchema, {
      name: outputOf(name),
      opType: 'Cast',
      input: input.slice(0, 1),
      output: [outputOf(name)],
      attribute: [
        create(AttributeProtoSchema, {
          name: 'to',
          type: AttributeType.INT,
          i: BigInt(elementNumbers.float32),
        }),
      ],
    }),
  );
  const outputs = merging.map(({ name }) => create(ValueInfoProtoSchema, { name: outputOf(name) }));
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      ...model,
      graph: { ...graph, node: [...graph.node, ...watching], output: [...graph.output, ...outputs] },
    }),
  );
}

/** Answers of a watched file, as those that it gives by itself and what its tokens were sent to their places by. */
export function withoutMerges(
  answers: Answers,
  products: readonly MeasuredProduct[],
): { readonly own: Answers; readonly merges: readonly MeasuredMerge[] } {
  const merges = products.flatMap(({ name, left }): MeasuredMerge[] => {
    const values = answers[outputOf(name)];
    return values === undefined ? [] : [{ product: name, places: placesIn(values, left) }];
  });
  const hidden = new Set(merges.map(({ product }) => outputOf(product)));
  const own = Object.fromEntries(Object.entries(answers).filter(([name]) => !hidden.has(name)));
  return { own, merges };
}

/** [B, T′, A] of ones and zeros → of each of the A tokens the place where its one is, [B, A]; −1 where there is none, or something else. */
function placesIn(values: Float32Array, shape: readonly number[]): Int32Array {
  const [left = 1, first = 1] = shape.slice(-2);
  const places = new Int32Array(values.length / left).fill(-1);
  for (let example = 0; example < values.length / (left * first); example++) {
    for (let token = 0; token < first; token++) {
      const at = (place: number): number => values[(example * left + place) * first + token] ?? Number.NaN;
      const ones = Array.from({ length: left }, (_, place) => place).filter((place) => at(place) !== 0);
      const [only, ...others] = ones;
      if (only !== undefined && others.length === 0 && at(only) === 1) places[example * first + token] = only;
    }
  }
  return places;
}
