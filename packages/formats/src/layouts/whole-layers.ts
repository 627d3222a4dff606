import {
  type BlockShape,
  type DenseConfig,
  type TowerConfig,
  clipTextFamily,
  dualEncoderFamily,
  visionTransformerFamily,
} from '@winnow/core';

/**
 * The configuration of the model that a cut one may come from: every layer as wide as the widest, every head whole, nothing
 * shared. Another runtime that has the weights elsewhere asks a configuration for names and kinds, not for widths.
 */
export function withWholeLayers(config: DenseConfig): DenseConfig {
  const { ties: _, ...own } = config;
  if (visionTransformerFamily.is(own)) return same(own, wholeVision(own));
  if (clipTextFamily.is(own)) return same(own, { tower: wholeTower(own.tower) });
  if (dualEncoderFamily.is(own)) {
    const text = { ...own.text, tower: wholeTower(own.text.tower) };
    return same(own, { vision: { ...own.vision, ...wholeVision(own.vision) }, text });
  }
  return own;
}

const same = <Config extends DenseConfig>(config: Config, changed: Partial<Config>): Config => ({
  ...config,
  ...changed,
});

function wholeVision({
  tower,
  attentionPool: pool,
}: {
  readonly tower: TowerConfig;
  readonly attentionPool?: BlockShape;
}) {
  const whole = wholeTower(tower);
  const { headDim = 0, hiddenDim = 0 } = whole.blocks[0] ?? {};
  return { tower: whole, ...(pool === undefined ? {} : { attentionPool: { headDim, hiddenDim } }) };
}

function wholeTower(tower: TowerConfig): TowerConfig {
  const { embedDim, denseHeadDim } = tower;
  const hiddenDim = tower.blocks.reduce((most, block) => Math.max(most, block.hiddenDim), 1);
  return {
    ...tower,
    heads: embedDim / denseHeadDim,
    blocks: tower.blocks.map(() => ({ headDim: denseHeadDim, hiddenDim })),
  };
}
