import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type DenseConfig,
  type HostTensor,
  type HostTensors,
  type Masked,
  type ParameterMasks,
  type TensorTree,
  anyModel,
  disposeTree,
  downloadTree,
  keptCount,
  maskFrom,
  masked,
  maskedCount,
  prunableMatrices,
  randomStream,
  storedBytes,
  tidyTree,
  zeroed,
} from '@winnow/core';
import { startEngine } from '@winnow/engine';
import fc from 'fast-check';
import { loadModel, readSafetensors, saveModel, writeSafetensors } from '../src/index';
import { dualEncoders, randomValues, visionTransformers } from './random-model';

interface Subject {
  readonly model: Masked;
  readonly params: TensorTree;
  readonly masks: ParameterMasks;
}

/** A random model with random masks of every sparsity, some of them empty; its survivors may be 0 and −0. */
function subjectOf(config: DenseConfig, seed: number): Subject {
  const random = randomStream(seed, 'masks');
  const values = new Map([...randomValues(config, seed)].map(([path, tensor]) => [path, withZeros(tensor)]));
  const { model, params } = anyModel(config, values);
  const masks = Object.fromEntries(
    prunableMatrices(model).flatMap(({ parameter, shape: [rows, columns] }) => {
      if (random.integer(5) === 0) return [];
      const keep = random.integer(3) === 0 ? 0.02 : 1.3 * random.uniform() - 0.1;
      const kept = Array.from({ length: rows * columns }, () => (random.uniform() < keep ? 1 : 0));
      return [[parameter, maskFrom(kept, [rows, columns])]];
    }),
  );
  const zeros = tidyTree((): TensorTree => zeroed(params, masks));
  disposeTree(params);
  return { model: masked<TensorTree, unknown>(model, masks), params: zeros, masks };
}

function withZeros(tensor: HostTensor): HostTensor {
  if (tensor.dtype === 'float32' && tensor.values.length > 2) {
    tensor.values[0] = 0;
    tensor.values[1] = -0;
  }
  return tensor;
}

let folder: string;
beforeAll(async () => {
  await startEngine('wasm');
});
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'winnow-')), 'model');
});
afterEach(() => rm(join(folder, '..'), { recursive: true }));

const bytesOf = (tensors: HostTensors) =>
  new Map(
    [...tensors].map(([path, { values }]) => [
      path,
      Buffer.from(values.buffer, values.byteOffset, values.byteLength),
    ]),
  );

/** Bytes of a safetensors file after its header. */
async function dataBytes(): Promise<number> {
  const bytes = await readFile(join(folder, 'model.safetensors'));
  return bytes.byteLength - 8 - Number(bytes.readBigUInt64LE(0));
}

describe('the folder of a model with masked weights', () => {
  it('gives the same model back, bit for bit, and takes the bytes that the account says', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof<fc.Arbitrary<DenseConfig>[]>(visionTransformers, dualEncoders),
        fc.nat(),
        async (config, seed) => {
          const { model, params, masks } = subjectOf(config, seed);
          const decision = { version: 1, sites: {}, masks } as const;
          await saveModel(folder, { model, params, decision, origin: { seed } });
          expect(await dataBytes()).toBe(storedBytes(model));

          const loaded = await loadModel(folder);
          expect(loaded.model.config).toEqual(model.config);
          expect(loaded.model.account).toEqual(model.account);
          expect(loaded.decision).toEqual(decision);
          expect(bytesOf(await downloadTree(loaded.params))).toEqual(bytesOf(await downloadTree(params)));
          disposeTree([params, loaded.params]);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('is smaller by what is gone: every weight that is left once, and a bit or less for each place', async () => {
    const config = fc.sample(visionTransformers, { seed: 4, numRuns: 1 })[0];
    if (config === undefined) throw new Error('no model was drawn');
    const { model, params, masks } = subjectOf(config, 1);
    await saveModel(folder, { model, params });
    const { tensors } = await readSafetensors(join(folder, 'model.safetensors'));
    const left = [...tensors].reduce(
      (sum, [name, { values }]) => sum + (/\.(bitmap|indices)$/.test(name) ? 0 : values.length),
      0,
    );
    expect(left).toBe(model.account.parameters);
    expect(left).toBe(model.inner.account.parameters - maskedCount(masks));
    for (const [path, mask] of Object.entries(masks)) {
      const places = tensors.get(`${path}.bitmap`) ?? tensors.get(`${path}.indices`);
      const bits = Math.ceil(((mask.shape[0] ?? 0) * (mask.shape[1] ?? 0)) / 32);
      expect(places?.values.length).toBe(Math.min(bits, keptCount(mask)));
    }
    disposeTree(params);
  });

  it('keeps a decision whose masks are other ones', async () => {
    const config = fc.sample(visionTransformers, { seed: 4, numRuns: 1 })[0];
    if (config === undefined) throw new Error('no model was drawn');
    const { model, params } = subjectOf(config, 2);
    const decision = { version: 1, sites: {}, masks: { other: maskFrom([1, 0], [1, 2]) } } as const;
    await saveModel(folder, { model, params, decision });
    const loaded = await loadModel(folder);
    expect(loaded.decision).toEqual(decision);
    disposeTree([params, loaded.params]);
  });

  it('is not written when a weight would be lost', async () => {
    const config = fc.sample(visionTransformers, { seed: 4, numRuns: 1 })[0];
    if (config === undefined) throw new Error('no model was drawn');
    const { model, params } = subjectOf(config, 3);
    const { params: whole } = anyModel(config, randomValues(config, 3));
    await expect(saveModel(folder, { model, params: whole })).rejects.toThrow(
      /expected \+0 at \d+, where the mask has nothing/,
    );
    await expect(readFile(join(folder, 'structure.json'))).rejects.toThrow('ENOENT');
    disposeTree([params, whole]);
  });

  describe('that is damaged', () => {
    const path = 'blocks.0.attention.query.weight';
    let tensors: Map<string, HostTensor>;
    beforeEach(async () => {
      const config = fc.sample(visionTransformers, { seed: 4, numRuns: 1 })[0];
      if (config === undefined) throw new Error('no model was drawn');
      const { model, params } = anyModel(config, randomValues(config, 1));
      const [rows, columns] = prunableMatrices(model)[0]?.shape ?? [0, 0];
      const kept = Array.from({ length: rows * columns }, (_, i) => (i === 3 ? 1 : 0));
      const masks = { [path]: maskFrom(kept, [rows, columns]) };
      const zeros = tidyTree((): TensorTree => zeroed(params, masks));
      await saveModel(folder, { model: masked<TensorTree, unknown>(model, masks), params: zeros });
      disposeTree([params, zeros]);
      ({ tensors } = await readSafetensors(join(folder, 'model.safetensors')));
    });

    const ints = (...values: number[]): HostTensor => ({
      dtype: 'int32',
      shape: [values.length],
      values: Int32Array.from(values),
    });

    it.each<[string, (tensors: Map<string, HostTensor>) => unknown, RegExp]>([
      ['places without order', (all) => all.set(`${path}.indices`, ints(4, 3)), /ascend/],
      ['places out of range', (all) => all.set(`${path}.indices`, ints(-1)), /ascend/],
      ['too many places', (all) => all.set(`${path}.indices`, ints(3, 4)), /expected 2 values/],
      ['no places', (all) => all.delete(`${path}.indices`), /a bitmap or indices beside its values/],
      ['two kinds of places', (all) => all.set(`${path}.bitmap`, ints(8)), /got both/],
      ['no values', (all) => all.delete(`${path}.values`), /missing blocks\.0\.attention\.query\.weight/],
      [
        'a bitmap of another size',
        (all) =>
          all.delete(`${path}.indices`) && all.set(`${path}.bitmap`, ints(...Array<number>(99).fill(0))),
        /expected a bitmap of \d+ bits/,
      ],
    ])('is refused with %s', async (_what, damage, message) => {
      damage(tensors);
      const file = join(folder, 'model.safetensors');
      await writeSafetensors(file, tensors);
      const bytes = await readFile(file);
      const structure = JSON.parse(await readFile(join(folder, 'structure.json'), 'utf8')) as object;
      const weights = { sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.byteLength };
      await writeFile(join(folder, 'structure.json'), JSON.stringify({ ...structure, weights }));
      await expect(loadModel(folder)).rejects.toThrow(message);
    });
  });
});
