import { type HostTensor, pathOfUse } from '@winnow/core';
import { type Graph, type GraphNode, type Initializer, int } from '../graph/graph';
import { biasCorrection, quantizeColumns } from './matrix';
import type { Range } from './range';

/** What was seen of the input of a linear map. */
export interface Calibrated {
  readonly range: Range;
  /** Of each of its columns. */
  readonly means: ArrayLike<number>;
}

/**
 * The graph with whole numbers around its linear maps: weights are int8, a scale for each output, inputs uint8 of a range that was
 * seen, of a map that runs more than once of all that it saw; biases make up for what rounding takes on average (static quantisation, in the QDQ form that ONNX Runtime fuses). Products of
 * attention, norms and embeddings stay float32, and so do matrices that are put together from shared columns.
 * @param calibrated By the paths of the maps; one that is not named stays as it is.
 * @param read Fetches a parameter.
 */
export async function quantizeGraph(
  graph: Graph,
  calibrated: ReadonlyMap<string, Calibrated>,
  read: (path: string) => Promise<HostTensor>,
): Promise<Graph> {
  const before = new Map(graph.initializers.map((own) => [own.name, own]));
  const initializers = new Map(before);
  const nodes: GraphNode[] = [];
  const whole = new Map<string, string>();
  const restored = new Map<string, string>();
  for (const node of graph.nodes) {
    const [x = '', weight = ''] = node.inputs;
    const seen = node.operator === 'MatMul' ? calibrated.get(pathOfUse(node.name)) : undefined;
    const held = before.get(weight);
    if (seen === undefined || held === undefined || !isParameter(held)) {
      nodes.push(node);
      continue;
    }
    if (!restored.has(weight)) {
      const { values } = await read(weight);
      const matrix = quantizeColumns(values, held.shape[1] ?? 1);
      const scales = `constant.${weight}.scale`;
      initializers.set(weight, { ...held, type: 'int8', values: { numbers: matrix.values } });
      initializers.set(scales, tensor(scales, 'float32', [matrix.scales.length], matrix.scales));
      restored.set(weight, `${weight}:restored`);
      const bias = biasBehind(graph, node, initializers);
      if (bias !== undefined) {
        const { values: old } = await read(bias.name);
        const lost = biasCorrection(values, matrix, seen.means);
        const corrected = Float32Array.from(old, (value, at) => value + (lost[at] ?? 0));
        initializers.set(bias.name, { ...bias, values: { numbers: corrected } });
      }
    }
    const input = whole.get(x) ?? wholeInput(x, seen.range, nodes, initializers);
    whole.set(x, input);
    nodes.push({ ...node, inputs: [input, weight] });
  }
  const restoring = [...restored].map(([weight, name]): GraphNode => ({
    operator: 'DequantizeLinear',
    name,
    inputs: [weight, `constant.${weight}.scale`],
    outputs: [name],
    attributes: { axis: int(1) },
  }));
  // Whoever else reads a matrix, as tokens that merge read keys, reads what is restored.
  const all = nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map((input) => restored.get(input) ?? input),
  }));
  return { ...graph, nodes: [...restoring, ...all], initializers: [...initializers.values()] };
}

/** Whether it holds a parameter, whose path is its name. */
const isParameter = ({ name, values }: Initializer): boolean =>
  'parameter' in values && values.parameter === name;

/** A value in whole numbers and back, once for all who read it. */
function wholeInput(
  x: string,
  { scale, zeroPoint }: Range,
  nodes: GraphNode[],
  initializers: Map<string, Initializer>,
): string {
  const [scaleName, zeroName] = [`constant.${x}.scale`, `constant.${x}.zero`];
  initializers.set(scaleName, tensor(scaleName, 'float32', [], [scale]));
  initializers.set(zeroName, tensor(zeroName, 'uint8', [], [zeroPoint]));
  const pair = [scaleName, zeroName];
  const [inWhole, back] = [`${x}:whole`, `${x}:back`];
  nodes.push(
    { operator: 'QuantizeLinear', name: inWhole, inputs: [x, ...pair], outputs: [inWhole], attributes: {} },
    { operator: 'DequantizeLinear', name: back, inputs: [inWhole, ...pair], outputs: [back], attributes: {} },
  );
  return back;
}

const tensor = (
  name: string,
  type: Initializer['type'],
  shape: readonly number[],
  numbers: ArrayLike<number>,
): Initializer => ({ name, type, shape, values: { numbers } });

/** The bias that is added to a product, where there is one. */
function biasBehind(
  { nodes }: Graph,
  { outputs: [product = ''] }: GraphNode,
  initializers: ReadonlyMap<string, Initializer>,
): Initializer | undefined {
  const sum = nodes.find(({ operator, inputs }) => operator === 'Add' && inputs[0] === product);
  const bias = initializers.get(sum?.inputs[1] ?? '');
  return bias !== undefined && 'parameter' in bias.values ? bias : undefined;
}
