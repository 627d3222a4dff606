import {
  type Attribute,
  type ElementType,
  type Graph,
  type GraphNode,
  type GraphPort,
  type Initializer,
  int,
} from './graph';

/** The type that the graph computes in. */
export type Precision = 'f32' | 'f16';

/**
 * Where an operator computes: in the graph's own type, in float32 whatever that is, or in the type that its inputs have
 * (the graph's own where they differ).
 */
export type Computes = 'working' | 'wide' | 'given';

export interface NodeOptions {
  readonly name?: string;
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly computes?: Computes;
  /** Type of the result where it is not that of the inputs. */
  readonly result?: ElementType;
}

/** An input of an operator: a value by name, a number in the operator's type, or `''` for one that is left out. */
export type Operand = string | number;

/** Collects nodes in the order in which they can run. Casts stand only where types differ; of equal nodes without a name there is one. */
export interface GraphBuilder {
  readonly opset: number;
  readonly precision: Precision;
  /** Adds an operator; the name of its result. */
  node(operator: string, inputs: readonly Operand[], options?: NodeOptions): string;
  /** A tensor of whole numbers, the same one for equal numbers. */
  whole(type: 'int32' | 'int64', numbers: readonly number[], shape?: readonly number[]): string;
  /** A tensor of real numbers. */
  real(numbers: readonly number[], shape: readonly number[]): string;
  /** The same in float32, whatever the graph's own type is. */
  wide(numbers: readonly number[], shape: readonly number[]): string;
  parameter(path: string, shape: readonly number[]): string;
  input(port: GraphPort): string;
  cast(name: string, to: ElementType): string;
  typeOf(name: string): ElementType;
  /** The graph of what its outputs need. @param outputs The values that they are, by the names that they get. */
  graph(name: string, outputs: readonly (GraphPort & { readonly value: string })[]): Graph;
}

export function graphBuilder({
  opset,
  precision,
}: {
  readonly opset: number;
  readonly precision: Precision;
}): GraphBuilder {
  const working: ElementType = precision === 'f16' ? 'float16' : 'float32';
  const types = new Map<string, ElementType>();
  const nodes: GraphNode[] = [];
  const initializers = new Map<string, Initializer>();
  const inputs: GraphPort[] = [];
  const equal = new Map<string, string>();
  const taken = new Map<string, number>();

  const unused = (wanted: string): string => {
    const times = taken.get(wanted) ?? 0;
    taken.set(wanted, times + 1);
    return times === 0 ? wanted : `${wanted}_${times}`;
  };
  const typeOf = (name: string): ElementType => {
    const type = types.get(name);
    if (type === undefined) throw new RangeError(`the graph has no value ${name}`);
    return type;
  };
  const isReal = (type: ElementType): boolean => type === 'float32' || type === 'float16';
  const hold = (initializer: Initializer): string => {
    initializers.set(initializer.name, initializer);
    types.set(initializer.name, initializer.type);
    return initializer.name;
  };
  const push = (
    operator: string,
    own: readonly string[],
    options: NodeOptions,
    type: ElementType,
  ): string => {
    const key = `${operator} ${own.join()} ${type} ${JSON.stringify(options.attributes)}`;
    const same = options.name === undefined ? equal.get(key) : undefined;
    if (same !== undefined) return same;
    const name = unused(options.name ?? operator);
    nodes.push({ operator, name, inputs: own, outputs: [`${name}:0`], attributes: options.attributes ?? {} });
    types.set(`${name}:0`, type);
    if (options.name === undefined) equal.set(key, `${name}:0`);
    return `${name}:0`;
  };
  const cast = (name: string, to: ElementType): string => {
    if (typeOf(name) === to) return name;
    const key = `${name} as ${to}`;
    const known = equal.get(key) ?? push('Cast', [name], { attributes: { to: int(elementNumbers[to]) } }, to);
    equal.set(key, known);
    return known;
  };
  const constant = (type: ElementType, numbers: readonly number[], shape: readonly number[]): string => {
    const key = `constant ${type} [${shape.join(',')}] ${numbers.join(',')}`;
    const known = equal.get(key) ?? hold({ name: unused('constant'), type, shape, values: { numbers } });
    equal.set(key, known);
    return known;
  };

  return {
    opset,
    precision,
    typeOf,
    cast,
    node: (operator, operands, options = {}) => {
      const { computes = 'working', result } = options;
      const real = operands
        .flatMap((operand) => (typeof operand === 'string' && operand !== '' ? [typeOf(operand)] : []))
        .filter(isReal);
      const isWide =
        computes === 'wide' ||
        (computes === 'given' && real.length > 0 && real.every((type) => type === 'float32'));
      const type = isWide ? 'float32' : working;
      const own = operands.map((operand) => {
        if (typeof operand === 'number') return constant(type, [operand], []);
        return operand !== '' && isReal(typeOf(operand)) ? cast(operand, type) : operand;
      });
      const [first] = operands;
      const others = typeof first === 'string' && !isReal(typeOf(first)) ? typeOf(first) : type;
      return push(operator, own, options, result ?? (real.length > 0 ? type : others));
    },
    whole: (type, numbers, shape = [numbers.length]) => constant(type, numbers, shape),
    real: (numbers, shape) => constant(working, numbers, shape),
    wide: (numbers, shape) => constant('float32', numbers, shape),
    parameter: (path, shape) =>
      types.has(path) ? path : hold({ name: path, type: working, shape, values: { parameter: path } }),
    input: (port) => {
      inputs.push(port);
      types.set(port.name, port.type);
      return port.name;
    },
    graph: (name, outputs) => {
      const given = outputs.map(({ value, ...port }) => {
        nodes.push({
          operator: 'Identity',
          name: port.name,
          inputs: [cast(value, port.type)],
          outputs: [port.name],
          attributes: {},
        });
        return port;
      });
      return { name, opset, inputs, outputs: given, ...reachable(nodes, [...initializers.values()], given) };
    },
  };
}

/** Numbers of the types in the format (`TensorProto.DataType`). */
export const elementNumbers: Readonly<Record<ElementType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
};

/** Keeps what the outputs need: the rest was made on the way to something better. */
function reachable(
  nodes: readonly GraphNode[],
  initializers: readonly Initializer[],
  outputs: readonly GraphPort[],
): Pick<Graph, 'nodes' | 'initializers'> {
  const needed = new Set(outputs.map(({ name }) => name));
  const kept = [...nodes].reverse().filter((node) => {
    if (!node.outputs.some((output) => needed.has(output))) return false;
    for (const input of node.inputs) needed.add(input);
    return true;
  });
  return { nodes: kept.reverse(), initializers: initializers.filter(({ name }) => needed.has(name)) };
}
