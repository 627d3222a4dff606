import { type Graph, type GraphNode, type GraphPort, type Initializer, ints } from '../graph/graph';
import { BATCH } from './ports';

/** The numbers that make one file of the two towers of a dual encoder. */
export interface PairOptions {
  /** logits = scale · ⟨picture, text⟩ + bias. */
  readonly scale: number;
  readonly bias: number;
  /** T: tokens that the text tower reads. */
  readonly context: number;
  /** The token that shorter texts are filled up with. */
  readonly padToken: number;
}

const [PICTURES, TEXTS, LENGTH] = ['image_batch', 'text_batch', 'sequence_length'];

/**
 * A dual encoder as one graph, as `transformers` has it: `pixel_values` and `input_ids`, any number of each and texts of any length, give
 * `logits_per_image` [pictures, texts], `logits_per_text`, and both embeddings. Parameters that both towers share stand there once.
 * @param vision Gives `image_embeds`.
 * @param text Takes `input_ids` of the whole context, and gives `text_embeds`.
 */
export function pairGraph(vision: Graph, text: Graph, options: PairOptions): Graph {
  const { scale, bias, context, padToken } = options;
  const filled = fillingUp(context, padToken);
  const [one, other] = [renamed(vision, {}), renamed(text, { input_ids: 'filled' })];
  const results: GraphNode[] = [
    node('Transpose', ['text_embeds'], 'texts:across', { perm: ints([1, 0]) }),
    node('MatMul', ['image_embeds', 'texts:across'], 'alike'),
    node('Mul', ['alike', 'logits.scale'], 'scaled'),
    node('Add', ['scaled', 'logits.bias'], 'logits_per_image'),
    node('Transpose', ['logits_per_image'], 'logits_per_text', { perm: ints([1, 0]) }),
  ];
  const initializers = [
    ...one.initializers,
    ...other.initializers,
    ...filled.initializers,
    real('logits.scale', scale),
    real('logits.bias', bias),
  ];
  const port = (name: string, shape: GraphPort['shape'], type: GraphPort['type'] = 'float32') => ({
    ...{ name, type, shape },
  });
  return {
    name: 'model',
    opset: vision.opset,
    inputs: [
      port('input_ids', [TEXTS, LENGTH], 'int64'),
      ...vision.inputs.map(({ name, shape }) => port(name, named(shape, PICTURES))),
    ],
    outputs: [
      port('logits_per_image', [PICTURES, TEXTS]),
      port('logits_per_text', [TEXTS, PICTURES]),
      ...text.outputs.map(({ name, shape }) => port(name, named(shape, TEXTS))),
      ...vision.outputs.map(({ name, shape }) => port(name, named(shape, PICTURES))),
    ],
    nodes: [...one.nodes, ...filled.nodes, ...other.nodes, ...results],
    initializers: [...new Map(initializers.map((own) => [own.name, own])).values()],
  };
}

const named = (shape: GraphPort['shape'], batch: string): GraphPort['shape'] =>
  shape.map((extent) => (extent === BATCH ? batch : extent));

const node = (
  operator: string,
  inputs: readonly string[],
  output: string,
  attributes: GraphNode['attributes'] = {},
): GraphNode => ({ operator, name: output, inputs, outputs: [output], attributes });

const real = (name: string, value: number): Initializer => ({
  ...{ name, type: 'float32', shape: [], values: { numbers: [value] } },
});

const whole = (name: string, numbers: readonly number[], shape: readonly number[]): Initializer => ({
  ...{ name, type: 'int64', shape, values: { numbers } },
});

/** Texts with as many pad tokens behind them as the context has places, of which the first are taken: no shape has to be asked for. */
const fillingUp = (context: number, padToken: number) => ({
  nodes: [
    node('Pad', ['input_ids', 'texts.places', 'texts.pad'], 'longer'),
    node('Slice', ['longer', 'texts.from', 'texts.to', 'texts.axis'], 'filled'),
  ],
  initializers: [
    whole('texts.places', [0, 0, 0, context], [4]),
    whole('texts.pad', [padToken], []),
    whole('texts.from', [0], [1]),
    whole('texts.to', [context], [1]),
    whole('texts.axis', [1], [1]),
  ],
});

/** The same graph with names of its own for all but parameters and what it takes and gives; some of these may be told others. */
function renamed(
  { name: own, nodes, initializers, inputs, outputs }: Graph,
  others: Readonly<Record<string, string>>,
): Pick<Graph, 'nodes' | 'initializers'> {
  const kept = new Set([...inputs, ...outputs].map(({ name }) => name));
  for (const { name, values } of initializers)
    if ('parameter' in values || !name.startsWith('constant')) kept.add(name);
  const rename = (name: string): string =>
    others[name] ?? (kept.has(name) || name === '' ? name : `${own}/${name}`);
  return {
    nodes: nodes.map((each) => ({
      ...each,
      name: `${own}/${each.name}`,
      inputs: each.inputs.map(rename),
      outputs: each.outputs.map(rename),
    })),
    initializers: initializers.map((each) => ({ ...each, name: rename(each.name) })),
  };
}
