import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HostTensor } from '@winnow/core';
import { FormatError, importModel } from '../../src/index';
import { timmNaming } from '../../src/layouts/timm/vision-transformer';
import { theirsOf, writeCheckpoint, zeros } from './checkpoints';
import { small } from './small-vision-transformer';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'winnow-'));
});
afterEach(() => rm(folder, { recursive: true }));

const named = (...names: string[]): Map<string, HostTensor> =>
  new Map(names.map((name) => [name, zeros(2, 2)]));
const theirs = () => theirsOf(small('none', 1e-6), timmNaming);
/** A plain ViT of timm, with one tensor more. */
const beside = (name: string, ...shape: number[]) => theirs().set(name, zeros(...shape));

const options = { newHead: { classes: 2, seed: 1 } };
const patches = 'patch_embed.proj.weight';
const token = 'embeddings.cls_token';

it.each<[feature: string, tensors: Map<string, HostTensor>, config: object]>([
  ['rotary positions', named(token), { model_type: 'dinov3_vit' }],
  // Nothing but their names tells these from ViTs with learned positions alone.
  ['rotary positions', theirs(), { architecture: 'vit_small_patch16_rope_ape_224', num_heads: 2 }],
  ['rotary positions', theirs(), { architecture: 'vit_pe_core_base_patch16_224', num_heads: 2 }],
  ['rotary positions', named(patches), { architecture: 'vit_small_patch16_dinov3' }],
  ['norms behind their layers', theirs(), { architecture: 'vit_base_patch16_rpn_224', num_heads: 2 }],
  ['gated feed-forward networks', named(token), { model_type: 'dinov2', use_swiglu_ffn: true }],
  ['gated feed-forward networks (SwiGLU)', beside('blocks.0.mlp.fc1_g.weight', 2), { num_heads: 2 }],
  // Gates and values are one matrix there, under the name of a plain network's.
  ['gated feed-forward networks (SwiGLU)', beside('blocks.0.mlp.fc1.weight', 20, 6), { num_heads: 2 }],
  ['attention within windows', named('swin.layernorm.weight'), { model_type: 'swin' }],
  ['attention within windows', named('layers.0.blocks.0.attn.qkv.weight', patches), {}],
  ['relative positions', named(token), { model_type: 'beit' }],
  ['relative positions', beside('blocks.0.attn.relative_position_bias_table', 2), { num_heads: 2 }],
  ['convolutions', named('convnext.layernorm.weight'), { model_type: 'convnext' }],
  ['convolutions', named('stem.0.weight'), { architecture: 'convnext_tiny' }],
  ['convolutions before or between the blocks', beside('patch_embed.backbone.conv.weight', 2), {}],
  [
    'pictures of any shape (NaFlex)',
    named('text.embeddings.token_embedding.weight'),
    { model_type: 'siglip2' },
  ],
  [
    'pictures of any shape (NaFlex)',
    named('embeds.proj.weight'),
    { architecture: 'naflexvit_base_patch16_gap' },
  ],
  ['parallel blocks', beside('blocks.0.attns.0.norm.weight', 2), { num_heads: 2 }],
  ['no learned positions', named(patches), {}],
])('models with %s are refused by the feature, in a line', async (feature, tensors, config) => {
  await writeCheckpoint(folder, tensors, { 'config.json': config });
  const failure = importModel(folder, options);
  await expect(failure).rejects.toThrow(FormatError);
  const line = (await failure.catch((error: Error) => error.message.split('\n'))) as string[];
  const [last = ''] = line.slice(-1);
  expect(last).toContain(feature);
  expect(last).toContain('not supported');
  expect(line.length).toBeLessThanOrEqual(2); // the file, and the place in it
});

it.each<[string, Map<string, HostTensor>, object]>([
  [
    'SigLIP',
    named('embeddings.patch_embedding.weight'),
    { model_type: 'siglip_vision_model', image_size: [8, 4] },
  ],
])('rectangular pictures are refused by name: %s', async (_, tensors, config) => {
  await writeCheckpoint(folder, tensors, { 'config.json': config });
  await expect(importModel(folder, options)).rejects.toThrow(/only square pictures are supported/);
});
