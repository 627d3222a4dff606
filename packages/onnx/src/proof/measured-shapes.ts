import { create, toBinary } from '@bufbuild/protobuf';
import { type ModelProto, ModelProtoSchema, type NodeProto, ValueInfoProtoSchema } from 'onnx-buf';
import type { Examples, PartFacts } from './job';
import { batchOf, openSession } from './session';

/**
 * The node that multiplies with a norm's parameter: the norm itself, or, of groups of channels that are normed together, the product behind
 * them, channel by channel.
 */
function scaledBehind(nodes: readonly NodeProto[], norm: NodeProto): NodeProto {
  if (norm.input[1]?.startsWith('constant') !== true) return norm;
  let [name = ''] = norm.output;
  for (;;) {
    const next = nodes.find(({ input }) => input[0] === name);
    if (next?.opType === 'Mul') return next;
    if (next === undefined || !moving.has(next.opType)) return norm;
    [name = ''] = next.output;
  }
}

/** Operators that leave numbers as they are. */
const moving: ReadonlySet<string> = new Set(['Reshape', 'Transpose', 'Cast']);

/**
 * The shapes that matrix products, layer norms and resized grids really have for one example: the file's own graph is run with all
 * that goes into them and comes out as further outputs. Nothing is inferred, and nothing is believed that the file says of itself.
 */
export async function measuredShapes(
  model: ModelProto,
  example: Examples,
): Promise<Pick<PartFacts, 'products' | 'norms' | 'resizes'>> {
  const { graph } = model;
  if (graph === undefined) throw new Error('expected a graph');
  const held = new Map(graph.initializer.map(({ name, dims }) => [name, dims.map(Number)]));
  const products = graph.node.filter(({ opType }) => opType === 'MatMul' || opType === 'Gemm');
  const norms = graph.node.filter(({ opType }) => opType === 'LayerNormalization');
  const resizes = graph.node.filter(({ opType }) => opType === 'Resize');
  const scaled = norms.map((norm) => scaledBehind(graph.node, norm));
  const wanted = [
    ...products.flatMap(({ input, output }) => [...input.slice(0, 2), ...output]),
    ...[...scaled, ...resizes].flatMap(({ output }) => output.slice(0, 1)),
  ];
  const given = new Set([...graph.output, ...graph.input].map(({ name }) => name));
  const extra = [...new Set(wanted)].filter((name) => !held.has(name) && !given.has(name));
  const watched = create(ModelProtoSchema, {
    ...model,
    graph: {
      ...graph,
      output: [...graph.output, ...extra.map((name) => create(ValueInfoProtoSchema, { name }))],
    },
  });
  const session = await openSession(toBinary(ModelProtoSchema, watched), 1, {
    graphOptimizationLevel: 'disabled',
  });
  const one = batchOf(example, [0]);
  const found = await session.run(one);
  const shapeOf = (name = ''): readonly number[] =>
    held.get(name) ?? one[name]?.dims ?? found[name]?.dims ?? [];
  return {
    products: products.map(({ name, input: [left, right], output: [result] }) => ({
      name,
      left: shapeOf(left),
      right: shapeOf(right),
      result: shapeOf(result),
    })),
    norms: scaled.map(({ input: [, weight = ''], output: [result] }) => ({ weight, shape: shapeOf(result) })),
    resizes: resizes.map(({ name, output: [result] }) => ({ name, result: shapeOf(result) })),
  };
}
