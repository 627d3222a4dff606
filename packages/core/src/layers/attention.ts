import { type Tensor1D, type Tensor2D, ones, step } from '@tensorflow/tfjs-core';
import { linearCost } from '../account/account';
import { attention } from '../operations/attention';
import { linear } from '../operations/linear';
import { type Coupling, type Site, sumCosts } from '../sites/site';
import { joinPath, lastKey } from '../tree/path';
import type { Layer, Place, Use } from './layer';
import { type LinearParams, type ProjectionParams, linearSpecs, project, projectionSpecs } from './linear';
import { type Observe, type ObservedRows, flat } from './observe';
import type { ParameterSpec } from './parameter';
import type { Body } from './residual';

export type AttentionParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  query: ProjectionParams<Matrix, Vector>; // [D, H·dk]
  key: ProjectionParams<Matrix, Vector>; // [D′, H·dk]
  value: ProjectionParams<Matrix, Vector>; // [D′, H·dv]
  output: LinearParams<Matrix, Vector>; // [H·dv, D]
};

export interface AttentionOptions {
  /** D: width of the tokens that ask, and of what they get. */
  readonly embedDim: number;
  /** D′: width of the tokens that they look at; D unless it says otherwise. */
  readonly contextDim?: number;
  /** H. */
  readonly heads: number;
  /** dv: columns of the values in each head. */
  readonly headDim: number;
  /** dk: columns of queries and keys in each head; dv unless some were pruned. */
  readonly queryKeyDim?: number;
  /** Multiplies the scores: 1/√(head dimension of the dense model), also after a cut. */
  readonly scale: number;
  /** Whether queries, keys and values have a bias; true unless it says otherwise. */
  readonly inputBias?: boolean;
  /** Keys of the configuration at its place that state dv and dk, and H where each place has its own. */
  readonly widths?: { readonly headDim: string; readonly queryKeyDim: string; readonly heads?: string };
}

/** Which tokens ask, and what they may look at. */
export interface Attended {
  /** T: tokens per sequence that ask. */
  readonly tokens: number;
  /** A token sees only itself and earlier tokens. */
  readonly causal?: boolean;
  /** States [B·T′, D′] of the tokens that are looked at; without it the tokens look at themselves. */
  readonly context?: { readonly states: Tensor2D; readonly tokens: number };
  /** [B, T′], as how many tokens each is looked at; 0 for padding. At least one of each sequence may be looked at. */
  readonly counts?: Tensor2D | undefined;
  readonly observe?: Observe | undefined;
}

/** Keys and values of tokens that were computed before: what is decoded token by token looks at them again and again. */
export interface Remembered {
  readonly key: Tensor2D; // [B·T′, H·dk]
  readonly value: Tensor2D; // [B·T′, H·dv]
  /** T′: tokens per sequence. */
  readonly tokens: number;
  /** [B, T′], as how many tokens each is looked at; 0 for padding. */
  readonly counts?: Tensor2D | undefined;
}

/** Multi-head attention from any tokens to any tokens (Vaswani et al., 2017, Section 3.2.2). */
export interface AttentionLayer extends Layer<AttentionParams<ParameterSpec, ParameterSpec>> {
  /** The layer with its parameters: tokens [B·T, D] → [B·T, D]. */
  body(params: AttentionParams, attended: Attended): Body;
  /** Keys and values of tokens [B·T′, D′]. */
  remember(params: AttentionParams, states: Tensor2D, tokens: number): Remembered;
  /** The layer for T tokens of each sequence [B·T, D] that look at all that is remembered → [B·T, D]. */
  recall(params: AttentionParams, x: Tensor2D, remembered: Remembered): Tensor2D;
}

const ownWidths: NonNullable<AttentionOptions['widths']> = { headDim: 'headDim', queryKeyDim: 'queryKeyDim' };
/** Keys of a block's shape, which may have heads of its own. */
export const blockWidths: NonNullable<AttentionOptions['widths']> = { ...ownWidths, heads: 'heads' };

export function attentionLayer(options: AttentionOptions): AttentionLayer {
  const { embedDim: D, contextDim = D, heads: H, headDim, queryKeyDim = headDim } = options;
  const { scale, inputBias = true } = options;
  return {
    specs: {
      query: projectionSpecs(D, H * queryKeyDim, inputBias),
      key: projectionSpecs(contextDim, H * queryKeyDim, inputBias),
      value: projectionSpecs(contextDim, H * headDim, inputBias),
      output: linearSpecs(H * headDim, D),
    },
    describe: (place) => ({ sites: [siteOf(options, place)], lines: [lineOf(options, place)] }),
    body: (params, attended) => ({
      compute: (x) => attend(params, x, attended, { heads: H, scale }),
      ...(isFused(attended)
        ? {
            fused: {
              kernel: 'WinnowAttentionSublayer',
              layers: params,
              attributes: { tokens: attended.tokens, heads: H, scale, causal: attended.causal ?? false },
              ...(attended.counts === undefined ? {} : { fixed: { counts0: attended.counts } }),
            },
          }
        : {}),
    }),
    remember: ({ key, value }, states, tokens) => ({
      key: linear(states, key.weight, key.bias),
      value: linear(states, value.weight, value.bias),
      tokens,
    }),
    recall: ({ query, output }, x, { key, value, tokens: context, counts }) => {
      const batch = key.shape[0] / context;
      const asking = linear(x, query.weight, query.bias);
      const shape = { batch, tokens: x.shape[0] / batch, heads: H, scale, causal: false, context };
      const heard = attention(asking, key, value, counts === undefined ? shape : { ...shape, counts });
      return linear(heard, output.weight, output.bias);
    },
  };
}

/** Engines bring a kernel for tokens that look at themselves, as often as they count. */
const isFused = ({ context, observe }: Attended): boolean => context === undefined && observe === undefined;

function attend(
  { query, key, value, output }: AttentionParams,
  x: Tensor2D,
  attended: Attended,
  { heads, scale }: { readonly heads: number; readonly scale: number },
): Tensor2D {
  const { tokens, causal = false, context, counts, observe } = attended;
  const source = context?.states ?? x;
  const seen = observe === undefined ? {} : rowsSeen(source, attended);
  const asking: ObservedRows = context === undefined ? seen : { tokens };
  const heard = attention(
    project(x, query, 'query', observe, asking),
    project(source, key, 'key', observe, seen),
    project(source, value, 'value', observe, seen),
    {
      batch: x.shape[0] / tokens,
      tokens,
      heads,
      scale,
      causal,
      ...(context === undefined ? {} : { context: context.tokens }),
      ...(counts === undefined ? {} : { counts }),
    },
  ); // [B·T, H·dv]
  return project(heard, output, 'output', observe, asking);
}

/** The rows that are looked at: an observer that counts the asking tokens must not take other tokens for them. */
function rowsSeen(source: Tensor2D, { tokens, context, counts }: Attended): ObservedRows {
  if (counts !== undefined) return { tokens: context?.tokens ?? tokens, counted: step(flat(counts)) };
  return context === undefined ? { tokens } : { tokens: context.tokens, counted: ones([source.shape[0]]) };
}

const pairs = (uses: readonly Use[]) =>
  uses.map(({ tokens, context = tokens }) => ({ asking: tokens, seen: context }));

function lineOf(options: AttentionOptions, { path, uses }: Place) {
  const { embedDim: D, contextDim = D, heads, headDim, queryKeyDim = headDim, inputBias = true } = options;
  const [compared, inner] = [heads * queryKeyDim, heads * headDim];
  const biases = inputBias ? 0 : 2 * compared + inner;
  const { parameters } = sumCosts([
    linearCost(D, compared, 0),
    linearCost(contextDim, compared, 0),
    linearCost(contextDim, inner, 0),
    linearCost(inner, D, 0),
  ]);
  const macs = pairs(uses).reduce(
    (sum, { asking, seen }) =>
      sum +
      asking * D * (compared + inner) + // query, output
      seen * contextDim * (compared + inner) + // key, value
      asking * seen * (compared + inner), // QKᵀ and attention·V
    0,
  );
  return { part: path, parameters: parameters - biases, macs };
}

/** One unit for each dimension of a head, in all heads alike (UPop, Section 3.1). */
function siteOf(options: AttentionOptions, place: Place): Site {
  const { path, config, tower, towerPath, layer, block, stack, uses } = place;
  const { embedDim: D, contextDim = D, heads: H, headDim, inputBias = true } = options;
  const { queryKeyDim = headDim, widths = ownWidths } = options;
  const heads =
    queryKeyDim === headDim && widths.heads !== undefined ? joinPath(config, widths.heads) : undefined;
  const axes = inputBias
    ? ([
        ['weight', 1],
        ['bias', 0],
      ] as const)
    : ([['weight', 1]] as const);
  const produced = (['query', 'key', 'value'] as const).flatMap((part) =>
    axes.map(([leaf, axis]): Coupling => ({
      parameter: `${path}.${part}.${leaf}`,
      part,
      columns: part,
      axis,
      copies: H,
      role: 'producer',
    })),
  );
  return {
    id: path,
    tower,
    towerPath,
    layer,
    block,
    name: lastKey(path),
    structure: 'attention',
    units: headDim,
    width: joinPath(config, widths.headDim),
    ...(heads === undefined ? {} : { heads }),
    ...(stack === undefined ? {} : { stack }),
    unitCost: {
      parameters: H * (2 * D + 2 * contextDim + (inputBias ? 3 : 0)),
      macs: pairs(uses).reduce(
        (sum, { asking, seen }) => sum + H * (2 * asking * D + 2 * seen * contextDim + 2 * asking * seen),
        0,
      ),
    },
    couplings: [
      ...produced,
      { parameter: `${path}.output.weight`, part: 'output', axis: 0, copies: H, role: 'consumer' } as const,
    ],
    columns: [
      // Queries and keys are compared: a column of one means nothing without the other's.
      { names: ['query', 'key'], prunable: true, width: joinPath(config, widths.queryKeyDim) },
      { names: ['value'], prunable: false },
    ],
  };
}
