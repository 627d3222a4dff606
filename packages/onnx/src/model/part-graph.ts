import { type GraphBuilder, type Precision, graphBuilder } from '../graph/builder';
import type { Graph, GraphPort } from '../graph/graph';
import { lowerer } from '../lower/lowering';
import { rules } from '../lower/rules';
import { type Extent, isPerExample, programOf } from '../trace/program';
import type { ModelPart } from './part';
import { BATCH } from './ports';

export interface GraphOptions {
  /** Default: 17, the first with LayerNormalization as one operator. */
  readonly opset?: number;
  readonly precision?: Precision;
}

/** A model's part, or anything else that is traced. */
export type TracedPart = Pick<ModelPart, 'inputs' | 'passAt'> & { readonly name: string };

/** The first opset that has all operators, and the last one that the rules were written for. */
export const opsets = { first: 17, last: 22 } as const;

/**
 * The graph of a part of a model, from its own forward pass: for a batch of any size, with inputs and outputs in float32.
 * @throws {RangeError} for an opset that is not known.
 */
export function partGraph(
  part: TracedPart,
  { opset = opsets.first, precision = 'f32' }: GraphOptions = {},
): Graph {
  if (!Number.isInteger(opset) || opset < opsets.first || opset > opsets.last)
    throw new RangeError(`expected an opset of ${opsets.first} to ${opsets.last}, got ${opset}`);
  const program = programOf((batch) => part.passAt(batch));
  const builder = graphBuilder({ opset, precision });
  const inputs = new Map(part.inputs.map((port) => [port.name, inputOf(builder, port)]));
  const lower = lowerer(program, builder, rules, inputs);
  const outputs = Object.entries(program.outputs).map(([name, id]) => {
    const value = lower(id);
    if (value.kind !== 'value' || !value.depends)
      throw new Error(`${name} does not depend on what the model is given`);
    const shape = (program.values[id]?.shape ?? []).map(extentIn);
    return { name, type: 'float32' as const, shape, value: value.name };
  });
  return builder.graph(part.name, outputs);
}

/** Tokens come in the type that tokenizers give, and are int32 from there on. */
function inputOf(builder: GraphBuilder, port: GraphPort): string {
  const name = builder.input(port);
  return port.type === 'int64' ? builder.cast(name, 'int32') : name;
}

function extentIn(extent: Extent): number | string {
  if (!isPerExample(extent)) return extent;
  if (extent.perExample === 1) return BATCH;
  throw new Error('an output has more rows than the batch');
}
