import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { peerVariants } from './contenders.mjs';
import { flagsOf } from './flags.mjs';
import { benchModels, modelOf, peerSizes } from './models.mjs';

describe('the variants of PyTorch on a GPU', () => {
  const choice = flagsOf(['--fused-peers', '--cast-peers']).peerChoice;

  it('are eager and compiled, with its own attention and weights cast once, in bf16', () => {
    const kept = { attention: 'sdpa', optimizer: 'fused', weights: 'bf16' };
    assert.deepEqual(peerVariants('bf16', 'train', choice), [
      { ...kept, compile: false },
      { ...kept, compile: true },
    ]);
  });

  it('are not fewer in f32, where nothing is cast', () => {
    const plain = flagsOf(['--fused-peers']).peerChoice;
    assert.deepEqual(peerVariants('f32', 'train', choice), peerVariants('f32', 'train', plain));
    assert.equal(peerVariants('bf16', 'train', plain).length, 4);
  });
});

describe('CLIP ViT-B/16', () => {
  it('has as many parameters as the published one', () => {
    assert.equal(modelOf(benchModels['clip-b']).account.parameters, 149_620_737);
  });

  it('is told to the peer with both towers, and no other model has a text', () => {
    const { classes, embedding_norm: hasNorm, text } = peerSizes(benchModels['clip-b']);
    assert.deepEqual([classes, hasNorm], [512, true]);
    assert.deepEqual([text.vocabulary, text.context, text.embed_dim, text.causal], [49_408, 77, 512, true]);
    assert.equal(peerSizes(benchModels['deit-s']).text, undefined);
  });

  it('is timed where it is named, and not among all others', () => {
    assert.ok(!flagsOf([]).models.includes('clip-b'));
    assert.deepEqual(flagsOf(['--model', 'clip-b']).models, ['clip-b']);
  });
});
