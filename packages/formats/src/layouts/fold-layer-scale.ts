import type { HostTensor, VisionTransformerConfig } from '@winnow/core';

/** The layer scale of a block by the layer whose output it multiplies. */
const scales = { 'attention.output': 'attentionScale', 'ffn.contract': 'ffnScale' } as const;

/** The same vision transformer without its layer scale, for layouts that have none. */
export function withoutLayerScale(config: VisionTransformerConfig): VisionTransformerConfig {
  const { layerScale: _, ...tower } = config.tower;
  return { ...config, tower };
}

/**
 * Reads parameters of a model with layer scale as those of one without it: s ∘ (x·W + b) = x·(W ∘ s) + b ∘ s.
 * @param read Reads a parameter by its path.
 */
export function foldingLayerScale(
  read: (path: string) => Promise<HostTensor>,
): (path: string) => Promise<HostTensor> {
  return async (path) => {
    const tensor = await read(path);
    for (const [layer, scale] of Object.entries(scales)) {
      const block = blockOf(path, layer);
      if (block !== undefined) return scaled(tensor, await read(`${block}.${scale}`));
    }
    return tensor;
  };
}

/** The path of the block, where a parameter is the weight or bias of one of its layers. */
function blockOf(path: string, layer: string): string | undefined {
  for (const leaf of ['weight', 'bias']) {
    const ending = `.${layer}.${leaf}`;
    if (path.endsWith(ending)) return path.slice(0, -ending.length);
  }
  return undefined;
}

/** [in, out] or [out], times a vector [out]. */
function scaled({ shape, values }: HostTensor, scale: HostTensor): HostTensor {
  const out = scale.values.length;
  const product = Float32Array.from(values, (value, i) => value * (scale.values[i % out] ?? Number.NaN));
  return { dtype: 'float32', shape, values: product };
}
