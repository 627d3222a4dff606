import {
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  add,
  argMax,
  cast,
  equal,
  lessEqual,
  range,
  reshape,
  slice,
} from '@tensorflow/tfjs-core';
import { dropUnder } from '../layers/branch-drop';
import { bare, beneath, placed, together } from '../layers/layer';
import { type LayerNormParams, normLayer, normalize } from '../layers/norm';
import { enterUnder, observeCounting, observeUnder } from '../layers/observe';
import { normal } from '../layers/parameter';
import { type BlockParams, tower } from '../layers/tower';
import { gatherRows } from '../operations/gather-rows';
import type { Hooks } from './hooks';
import type { EndToken, TextTowerConfig } from './text-tower-config';

export type TextTowerParams<Matrix = Tensor2D, Vector = Tensor1D> = {
  tokenEmbedding: Matrix; // [V, D]
  positions: Matrix; // [context, D]
  blocks: BlockParams<Matrix, Vector>[];
  norm: LayerNormParams<Vector>;
};

/**
 * The text transformer of CLIP or SigLIP up to its last hidden states, charged for a text of the full context. Standard deviations are
 * those of the published initialisation (Radford et al., 2021; its code): 0.02 and 0.01.
 */
export function textTower(config: TextTowerConfig) {
  const { vocabulary, context, endToken } = config;
  const { embedDim: D, normEpsilon } = config.tower;
  const every = { uses: [{ tokens: context }] };
  const blocks = tower(config.tower);
  const depth = config.tower.blocks.length;
  const parts = {
    tokenEmbedding: beneath(depth + 1, bare(normal([vocabulary, D], 0.02))),
    positions: beneath(depth + 1, bare(normal([context, D], 0.01))),
    blocks: placed({ ...every, config: 'tower' }, blocks),
    norm: placed(every, normLayer(D, normEpsilon)),
  };
  const checkLength = ({ shape: [, length] }: Tensor2D): number => {
    if (length > context) {
      throw new RangeError(`expected texts of at most ${context} tokens, got ${length}`);
    }
    if (endToken === 'last' && length < context) {
      throw new RangeError(`expected texts that are filled up to ${context} tokens, got ${length}`);
    }
    return length;
  };

  /** Token sequences [B, T] → [B·T, D]. */
  const embed = (params: TextTowerParams, tokens: Tensor2D, { perturb }: Hooks): Tensor2D => {
    const [batch, length] = tokens.shape;
    const positions: Tensor2D =
      length === context ? params.positions : slice(params.positions, [0, 0], [length, D]);
    const rows = gatherRows(params.tokenEmbedding, reshape(tokens, [batch * length]));
    const words: Tensor3D = reshape(rows, [batch, length, D]);
    const seen = perturb === undefined ? words : perturb('words', words);
    return reshape(add(seen, positions), [batch * length, D]);
  };
  const passing = ({ enter, drop }: Hooks) => ({
    enter: enterUnder(enter, 'blocks'),
    drop: dropUnder(drop, 'text'),
  });

  return {
    parts,
    layer: together(parts),
    /**
     * Token sequences [B, T] (int32, T at most the context) → normalised last hidden state of each text's end, [B, D].
     * Every text must have an end: whoever holds the tokens makes sure of it, by `checkTextEnds`. In a causal tower tokens
     * after the first end token change nothing, as no token sees later ones; so a batch may be cut to its longest text,
     * but for one that reads the last place of the context.
     * It throws a RangeError when the sequences are longer than the context, or shorter where its last place is read.
     */
    states: (params: TextTowerParams, tokens: Tensor2D, hooks: Hooks = {}): Tensor2D => {
      const length = checkLength(tokens);
      const ends = endRows(tokens, endToken);
      const { observe } = hooks;
      const { states } = blocks.run(params.blocks, embed(params, tokens, hooks), {
        tokens: length,
        read: (x) => gatherRows(x, ends), // [B, D]
        ...passing(hooks),
        observe: observeCounting(observeUnder(observe, 'blocks'), () => readTokens(tokens, endToken)),
      });
      return normalize(states, params.norm, normEpsilon);
    },
    /**
     * Token sequences [B, T], as for `states` → normalised last hidden states of all tokens, [B·T, D]. In a tower that is not
     * causal no token looks behind the end of its text, so padding changes nothing.
     */
    tokenStates: (params: TextTowerParams, tokens: Tensor2D, hooks: Hooks = {}): Tensor2D => {
      const length = checkLength(tokens);
      const read = readTokens(tokens, endToken);
      const { states } = blocks.run(params.blocks, embed(params, tokens, hooks), {
        tokens: length,
        ...(config.tower.causal ? {} : { counts: read }),
        ...passing(hooks),
        observe: observeCounting(observeUnder(hooks.observe, 'blocks'), () => read),
      });
      return normalize(states, params.norm, normEpsilon);
    },
    /** Tokens [B, T] that texts are read from: 1 up to the end of a text, 0 behind it. */
    readTokens: (tokens: Tensor2D): Tensor2D => readTokens(tokens, endToken),
  };
}

/**
 * Tokens that a text is read from, [B, T] of 1 and 0: up to its first end token, as in a causal tower no later one changes
 * anything. A text that is read at its last place looks at all of them.
 */
export function readTokens(tokens: Tensor2D, endToken: EndToken): Tensor2D {
  const [batch, length] = tokens.shape;
  const ends = reshape(endRows(tokens, endToken), [batch, 1]);
  const rows: Tensor2D = reshape(range(0, batch * length, 1, 'int32'), [batch, length]);
  return cast(lessEqual<Tensor2D>(rows, ends), 'float32');
}

/** The row of each sequence's first end token among all B·T of them, [B]. */
function endRows(tokens: Tensor2D, endToken: EndToken): Tensor1D {
  const [batch, length] = tokens.shape;
  if (endToken === 'last') return range(length - 1, batch * length, length, 'int32');
  const ends = endToken === 'greatest' ? tokens : cast(equal(tokens, endToken), 'int32');
  const positions = argMax<Tensor1D>(ends, 1); // the first of equal ones
  return add(positions, range(0, batch * length, length, 'int32'));
}
