import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type HostTensor, randomStream } from '@winnow/core';
import { writeSafetensors } from '@winnow/formats';

export interface TimmShape {
  readonly width: number;
  readonly hidden: number;
  /** Pictures of 16 × 16 in patches of 8: four of them. */
  readonly patches?: number;
  /** 0 for none. */
  readonly classes: number;
}

/** Random weights of a ViT under timm's names: one block, pictures of three channels in patches of 8. */
export function timmTensors({ width: D, hidden, patches = 4, classes }: TimmShape): Map<string, HostTensor> {
  const { normal } = randomStream(1, 'timm');
  const shapes: Record<string, number[]> = {
    cls_token: [1, 1, D],
    pos_embed: [1, patches + 1, D],
    'patch_embed.proj.weight': [D, 3, 8, 8],
    'patch_embed.proj.bias': [D],
    'blocks.0.norm1.weight': [D],
    'blocks.0.norm1.bias': [D],
    'blocks.0.attn.qkv.weight': [3 * D, D],
    'blocks.0.attn.qkv.bias': [3 * D],
    'blocks.0.attn.proj.weight': [D, D],
    'blocks.0.attn.proj.bias': [D],
    'blocks.0.norm2.weight': [D],
    'blocks.0.norm2.bias': [D],
    'blocks.0.mlp.fc1.weight': [hidden, D],
    'blocks.0.mlp.fc1.bias': [hidden],
    'blocks.0.mlp.fc2.weight': [D, hidden],
    'blocks.0.mlp.fc2.bias': [D],
    'norm.weight': [D],
    'norm.bias': [D],
    ...(classes === 0 ? {} : { 'head.weight': [classes, D], 'head.bias': [classes] }),
  };
  return new Map(
    Object.entries(shapes).map(([name, shape]) => {
      const size = shape.reduce((product, extent) => product * extent, 1);
      return [name, { dtype: 'float32', shape, values: Float32Array.from({ length: size }, normal) }];
    }),
  );
}

/** Writes a checkpoint: `model.safetensors`, and JSON files by name. */
export async function writeCheckpoint(
  folder: string,
  tensors: ReadonlyMap<string, HostTensor>,
  json: Readonly<Record<string, object>> = {},
): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeSafetensors(join(folder, 'model.safetensors'), tensors, { format: 'pt' });
  for (const [name, content] of Object.entries(json))
    await writeFile(join(folder, name), JSON.stringify(content));
}
