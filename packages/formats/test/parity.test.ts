import { join } from 'node:path';
import {
  eye,
  gather,
  type Scalar,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor4D,
  reshape,
  tensor,
  tidy,
  transpose,
  valueAndGrads,
} from '@tensorflow/tfjs-core';
import {
  type EndToken,
  type HostTensor,
  type HostTensors,
  type VisionTransformer,
  type VisionTransformerParams,
  disposeTree,
  downloadTree,
  layerNorm,
  leavesOf,
  softmaxCrossEntropy,
  withLeaves,
  clipTextFamily,
} from '@winnow/core';
import { correspondences, fromTheirs } from '../src/layouts/correspondence';
import { visionTransformerNaming } from '../src/layouts/hugging-face/vision-transformer';
import { importModel, importVisionTransformer, readSafetensors } from '../src/index';
import { onEveryEngine } from './engines';
import { withFixture } from './fixtures';

const TOLERANCE = 1e-4;

const present = <Value>(value: Value | undefined): Value => {
  if (value === undefined) throw new Error('expected a value');
  return value;
};
const upload = ({ values, shape, dtype }: HostTensor): Tensor => tensor(values, [...shape], dtype);

/** Pictures [B, C, S, S] of PyTorch → [B, S, S, C]. */
const pictures = (inputs: HostTensors): Tensor4D =>
  tidy(() => transpose<Tensor4D>(upload(present(inputs.get('pixel_values'))) as Tensor4D, [0, 2, 3, 1]));

function farthest(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  // Not `Math.max` over a filter: a NaN anywhere must come out as NaN.
  return Array.from(actual).reduce((far, value, i) => {
    const distance = Math.abs(value - (expected[i] ?? NaN));
    return distance <= far ? far : distance;
  }, 0);
}

async function read(folder: string) {
  const imported = await importVisionTransformer(folder);
  const inputs = (await readSafetensors(join(folder, 'inputs.safetensors'))).tensors;
  const expected = (await readSafetensors(join(folder, 'expected.safetensors'))).tensors;
  return { ...imported, inputs, expected };
}

onEveryEngine('PyTorch parity', () => {
  for (const name of ['vit-hf-small', 'deit-hf-small']) {
    withFixture(name, (folder) => {
      it('has the same logits and hidden states', async () => {
        const { model, params, inputs, expected } = await read(folder);
        const images = pictures(inputs);
        const { logits, features, normalized } = tidy(() => ({
          logits: model.forward(params, { images }).logits.dataSync(),
          features: model.features(params, { images }).dataSync(),
          normalized: normalizedHiddenStates(model, params, present(expected.get('last_hidden_state'))),
        }));
        expect(farthest(logits, present(expected.get('logits')).values)).toBeLessThan(TOLERANCE);
        expect(farthest(features, normalized)).toBeLessThan(TOLERANCE);
        disposeTree(params);
        images.dispose();
      });

      it('has the same loss and all the same gradients', async () => {
        const { model, params, inputs, expected } = await read(folder);
        const images = pictures(inputs);
        const labels = present(inputs.get('labels'));
        const { value, grads } = tidy(() => {
          const targets = gather(eye(model.config.classes), upload(labels) as Tensor1D);
          const loss = (...leaves: Tensor[]): Scalar =>
            softmaxCrossEntropy(model.forward(withLeaves(params, leaves), { images }).logits, targets);
          return valueAndGrads(loss)(leavesOf(params));
        });
        expect(farthest(await value.data(), present(expected.get('loss')).values)).toBeLessThan(TOLERANCE);

        const theirs = new Map(
          [...expected].flatMap(([key, host]): [string, HostTensor][] =>
            key.startsWith('grad.') ? [[key.slice('grad.'.length), host]] : [],
          ),
        );
        const { distillation } = model.config;
        const prefix = distillation === 'none' ? 'vit.' : 'deit.';
        const table = correspondences(
          model,
          visionTransformerNaming({ prefix, style: 'layers', distillation }),
        );
        expect([...theirs.keys()].sort()).toEqual(table.map(({ name }) => name).sort());
        const ours = fromTheirs(table, theirs);
        const gradients: VisionTransformerParams = withLeaves(params, grads);
        const differences = await differencesByPath(gradients, ours);
        expect(Object.fromEntries(differences.filter(([, far]) => !(far < TOLERANCE)))).toEqual({});
        disposeTree([params, gradients]);
        images.dispose();
        value.dispose();
      });
    });
  }

  withFixture('vit-timm-small', (folder) => {
    it('has the same logits', async () => {
      const { model, params, inputs, expected } = await read(folder);
      const images = pictures(inputs);
      const logits = tidy(() => model.forward(params, { images }).logits.dataSync());
      expect(farthest(logits, present(expected.get('logits')).values)).toBeLessThan(TOLERANCE);
      disposeTree(params);
      images.dispose();
    });
  });

  withFixture('clip-text-hf-small', (folder) => {
    it('has the same embeddings and the same states at the ends of the texts', async () => {
      const imported = await importModel(folder);
      if (!clipTextFamily.holds(imported)) throw new Error(`expected a text tower, got ${imported.kind}`);
      const { model, params, leftOut } = imported;
      expect(leftOut).toEqual([]);
      const inputs = (await readSafetensors(join(folder, 'inputs.safetensors'))).tensors;
      const expected = (await readSafetensors(join(folder, 'expected.safetensors'))).tensors;
      const ids = present(inputs.get('input_ids'));
      const { logits, states } = tidy(() => {
        const { logits, states } = model.forward(params, { tokens: upload(ids) as Tensor2D });
        return { logits: logits.dataSync(), states: present(states).dataSync() };
      });
      expect(farthest(logits, present(expected.get('text_embeds')).values)).toBeLessThan(TOLERANCE);
      const ends = statesAtEnds(ids, present(expected.get('last_hidden_state')), model.config.endToken);
      expect(farthest(states, ends)).toBeLessThan(TOLERANCE);
      disposeTree(params);
    });
  });
});

/** Picks from normalised last hidden states [B, T, D] those at the first end of each of the texts [B, T], [B·D]. */
function statesAtEnds(ids: HostTensor, hidden: HostTensor, endToken: EndToken): number[] {
  const [batch = 0, length = 0, D = 0] = hidden.shape;
  return Array.from({ length: batch }, (_, row) => {
    const text = ids.values.subarray(row * length, (row + 1) * length);
    const end = text.indexOf(typeof endToken === 'string' ? Math.max(...text) : endToken);
    expect(end).toBeGreaterThan(0);
    return [...hidden.values.subarray((row * length + end) * D, (row * length + end + 1) * D)];
  }).flat();
}

/** The fixture's last hidden states are those before the final norm, [B, T, D]; ours come after it. */
function normalizedHiddenStates(
  { config }: VisionTransformer,
  { norm }: VisionTransformerParams,
  hidden: HostTensor,
): Float32Array {
  const rows: Tensor2D = reshape(upload(hidden), [-1, config.tower.embedDim]);
  return layerNorm(rows, norm.weight, norm.bias, config.tower.normEpsilon).dataSync<'float32'>();
}

async function differencesByPath(
  gradients: VisionTransformerParams,
  expected: HostTensors,
): Promise<[path: string, difference: number][]> {
  const actual = await downloadTree(gradients);
  return [...expected].map(([path, { values }]) => [
    path,
    farthest(present(actual.get(path)).values, values),
  ]);
}
