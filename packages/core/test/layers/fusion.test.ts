import { readFileSync } from 'node:fs';
import { type Tensor, type Tensor2D, grads, tensor1d, tensor2d, tidy } from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { fusionDecoderLayer, fusionEncoderLayer } from '../../src/layers/fusion';
import { groundingLoss } from '../../src/task/grounding-loss';
import { describeOnEveryEngine } from '../engine/every-engine';

const numbers = z.array(z.number());
const linear = z.object({ weight: numbers, bias: numbers });
const attention = z.object({ query: linear, key: linear, value: linear, output: linear });
const ffn = z.object({ expand: linear, contract: linear });
const fixture = z
  .object({
    shape: z.object({
      width: z.int(),
      heads: z.int(),
      hiddenDim: z.int(),
      batch: z.int(),
      tokens: z.int(),
      queries: z.int(),
    }),
    encoder: z.object({ attention, attentionNorm: linear, ffn, ffnNorm: linear }),
    decoder: z.object({
      self: attention,
      selfNorm: linear,
      cross: attention,
      crossNorm: linear,
      ffn,
      ffnNorm: linear,
    }),
    inputs: z.object({
      states: numbers,
      positions: numbers,
      visible: numbers,
      queries: numbers,
      content: numbers,
    }),
    memory: numbers,
    found: numbers,
    told: z.object({ logits: numbers, boxes: numbers, aligned: numbers, words: numbers }),
    objects: z.object({ boxes: z.array(numbers), examples: numbers, tokens: z.array(numbers) }),
    loss: z.number(),
    gradients: z.object({ logits: numbers, boxes: numbers, aligned: numbers, words: numbers }),
  })
  .parse(JSON.parse(readFileSync(new URL('../reference/fusion.json', import.meta.url), 'utf8')));

const { width, heads, hiddenDim, batch, tokens, queries } = fixture.shape;
const matrix = (values: readonly number[], columns: number): Tensor2D =>
  tensor2d([...values], [values.length / columns, columns]);

type Linear = z.output<typeof linear>;
const linearOf = ({ weight, bias }: Linear) => ({
  weight: matrix(weight, bias.length),
  bias: tensor1d(bias),
});
const normOf = ({ weight, bias }: Linear) => ({ weight: tensor1d(weight), bias: tensor1d(bias) });
const attentionOf = ({ query, key, value, output }: z.output<typeof attention>) => ({
  query: linearOf(query),
  key: linearOf(key),
  value: linearOf(value),
  output: linearOf(output),
});
const ffnOf = ({ expand, contract }: z.output<typeof ffn>) => ({
  expand: linearOf(expand),
  contract: linearOf(contract),
});

function expectClose(found: Tensor | undefined, expected: readonly number[]): void {
  const values = found === undefined ? [] : [...found.dataSync()];
  expect(values).toHaveLength(expected.length);
  const worst = values.reduce(
    (most, value, index) => Math.max(most, Math.abs(value - (expected[index] ?? Infinity))),
    0,
  );
  expect(worst).toBeLessThan(1e-4);
}

describeOnEveryEngine('layers and losses of MDETR, as PyTorch computes them', () => {
  const shape = { width, heads, hiddenDim };
  const memoryOf = () => ({
    states: matrix(fixture.inputs.states, width),
    positions: matrix(fixture.inputs.positions, width),
    tokens,
    counts: matrix(fixture.inputs.visible, tokens),
  });

  it('an encoder layer, with padding', () => {
    tidy(() => {
      const { attention, attentionNorm, ffn, ffnNorm } = fixture.encoder;
      const params = {
        attention: attentionOf(attention),
        attentionNorm: normOf(attentionNorm),
        ffn: ffnOf(ffn),
        ffnNorm: normOf(ffnNorm),
      };
      expectClose(fusionEncoderLayer(shape).run(params, memoryOf()), fixture.memory);
    });
  });

  it('a decoder layer', () => {
    tidy(() => {
      const { self, selfNorm, cross, crossNorm, ffn, ffnNorm } = fixture.decoder;
      const params = {
        self: attentionOf(self),
        selfNorm: normOf(selfNorm),
        cross: attentionOf(cross),
        crossNorm: normOf(crossNorm),
        ffn: ffnOf(ffn),
        ffnNorm: normOf(ffnNorm),
      };
      const asking = {
        states: matrix(fixture.inputs.content, width),
        positions: matrix(fixture.inputs.queries, width),
        tokens: queries,
      };
      const memory = { ...memoryOf(), states: matrix(fixture.memory, width) };
      expectClose(fusionDecoderLayer(shape, queries, tokens).run(params, asking, memory), fixture.found);
    });
  });

  it('the loss of a layer with its matching, and its gradients', () => {
    tidy(() => {
      const { told, objects, gradients } = fixture;
      const classes = told.logits.length / (batch * queries);
      const space = told.aligned.length / (batch * queries);
      const named = {
        boxes: Float32Array.from(objects.boxes.flat()),
        examples: Int32Array.from(objects.examples),
        tokens: objects.tokens.map((own) => Int32Array.from(own)),
      };
      const lossOf = (logits: Tensor2D, boxes: Tensor2D, aligned: Tensor2D, words: Tensor2D) =>
        groundingLoss({ logits, boxes, aligned, words, read: matrix(fixture.inputs.visible, tokens) }, named);
      const inputs: [Tensor2D, Tensor2D, Tensor2D, Tensor2D] = [
        matrix(told.logits, classes),
        matrix(told.boxes, 4),
        matrix(told.aligned, space),
        matrix(told.words, space),
      ];
      expect(lossOf(...inputs).dataSync()[0]).toBeCloseTo(fixture.loss, 4);
      const found = grads((...own: Tensor[]) => lossOf(...(own as typeof inputs)))(inputs);
      [gradients.logits, gradients.boxes, gradients.aligned, gradients.words].forEach((expected, index) => {
        expectClose(found[index], expected);
      });
    });
  });
});
