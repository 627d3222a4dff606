import type { OperatorProgram, ProgramConstant } from '@winnow/formats';
import type { Graph, GraphNode, ModelPart } from '@winnow/onnx';

/** The operators that the program in PyTorch has words for. */
const OPSET = 20;
/** Longer constants stand beside the parameters and not in the text. */
const MOST_IN_TEXT = 64;

/** Constants of programs that stand beside the parameters, by their names there. */
export type HeldConstants = ReadonlyMap<string, HeldConstant>;
interface HeldConstant {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/**
 * The parts of a model as the operators of their ONNX files, for a program in another language. Columns that are shared stay so: they are put
 * together by operators.
 */
export async function operatorPrograms(parts: readonly ModelPart[]): Promise<{
  readonly programs: Readonly<Record<string, OperatorProgram>>;
  readonly held: HeldConstants;
}> {
  const { partGraph } = await import('@winnow/onnx');
  const held = new Map<string, HeldConstant>();
  const programs = parts.map((part): [string, OperatorProgram] => {
    const graph = partGraph(part, { opset: OPSET });
    return [part.name, programOf(graph, (name) => `constants.${part.name}.${name}`, held)];
  });
  return { programs: Object.fromEntries(programs), held };
}

function programOf(
  { inputs, outputs, nodes, initializers }: Graph,
  heldName: (name: string) => string,
  held: Map<string, HeldConstant>,
): OperatorProgram {
  const constants = initializers.flatMap((own): [string, ProgramConstant][] => {
    const { name, type, shape, values } = own;
    if (!('numbers' in values)) return [];
    const numbers = Array.from(values.numbers);
    if (type === 'int64') return [[name, numbers]];
    const [fill = 0] = numbers;
    const kind = type === 'float32' ? type : 'int32';
    if (numbers.every((number) => number === fill)) return [[name, { type: kind, shape, fill }]];
    if (type !== 'float32' || numbers.length <= MOST_IN_TEXT)
      return [[name, { type: kind, shape, values: numbers }]];
    held.set(heldName(name), { shape, values: Float32Array.from(numbers) });
    return [[name, { held: heldName(name) }]];
  });
  return {
    inputs: inputs.map(({ name }) => name),
    outputs: outputs.map(({ name }) => name),
    constants: Object.fromEntries(constants),
    nodes: nodes.map(lineOf),
  };
}

const lineOf = ({ operator, inputs, outputs, attributes }: GraphNode): OperatorProgram['nodes'][number] => {
  const own = Object.entries(attributes).map(([name, { value }]) => [name, value]);
  return [operator, inputs, outputs[0] ?? '', Object.fromEntries(own)];
};
