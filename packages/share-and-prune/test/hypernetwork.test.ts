import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Scalar,
  type Tensor,
  type Tensor1D,
  mul,
  reshape,
  scalar,
  sum,
  tensor1d,
  tensor2d,
  tidy,
  transpose,
  valueAndGrads,
} from '@tensorflow/tfjs-core';
import { initialize, mapTree } from '@winnow/core';
import { availableEngines, startEngine } from '@winnow/engine';
import { gru } from '../src/gru';
import { type HypernetworkParams, hypernetwork } from '../src/hypernetwork';
import { numbersOf, paired, small } from './towers';

const engines = await availableEngines();
const fixture = new URL('../../../../shared/fixtures/gru/', import.meta.url).pathname;
const pairing = paired(small, { acrossTowers: true, baseLayers: [0] });
const network = hypernetwork({ pairing, seed: 3, bias: 3, temperature: 0.4 });

/** Little-endian float32 tensors of a safetensors file. */
function tensorsIn(file: string): Map<string, { shape: number[]; values: Float32Array }> {
  const bytes = readFileSync(join(fixture, file));
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString()) as Record<
    string,
    { shape: number[]; data_offsets: [number, number] }
  >;
  return new Map(
    Object.entries(header)
      .filter(([name]) => name !== '__metadata__')
      .map(
        ([
          name,
          {
            shape,
            data_offsets: [from, to],
          },
        ]) => {
          const own = Uint8Array.from(bytes.subarray(8 + length + from, 8 + length + to));
          return [name, { shape, values: new Float32Array(own.buffer) }];
        },
      ),
  );
}

for (const engine of engines) {
  if (!engine.available) {
    it.skip(`the hypernetwork on ${engine.name}: ${engine.reason}`, () => undefined);
    continue;
  }
  describe(`the hypernetwork on ${engine.name}`, () => {
    beforeAll(async () => {
      await startEngine(engine.name);
    });

    (existsSync(fixture) ? it : it.skip)('has the GRU of PyTorch (../shared/fixtures/gru)', () => {
      const weights = tensorsIn('model.safetensors');
      const { z } = Object.fromEntries(tensorsIn('inputs.safetensors'));
      const { y } = Object.fromEntries(tensorsIn('expected.safetensors'));
      const values = (name: string) => weights.get(name) ?? { shape: [], values: new Float32Array() };
      const states = tidy(() => {
        const matrix = (name: string) => {
          const { shape, values: numbers } = values(name);
          return transpose(tensor2d(numbers, [shape[0] ?? 0, shape[1] ?? 0]));
        };
        const params = {
          inputWeight: matrix('weight_ih_l0'),
          recurrentWeight: matrix('weight_hh_l0'),
          inputBias: tensor1d(values('bias_ih_l0').values),
          recurrentBias: tensor1d(values('bias_hh_l0').values),
        };
        return gru(params, tensor2d(z?.values ?? [], [12, 32])).dataSync();
      });
      expect(states.length).toBe(y?.values.length);
      states.forEach((value, i) => expect(Math.abs(value - (y?.values[i] ?? Number.NaN))).toBeLessThan(1e-5));
    });

    /** Parameters whose heads say nothing: o = 0. */
    const silent = (): HypernetworkParams => {
      const params = initialize<HypernetworkParams>(network.specs, 1);
      return { ...params, heads: mapTree(params.heads, (leaf) => mul(leaf, 0)) };
    };

    it('keeps everything at the start, and again and again', () => {
      tidy(() => {
        const params = silent();
        for (let draw = 0; draw < 20; draw++) {
          for (const { share, keep } of Object.values(
            network.structure(network.confidences(params), String(draw)),
          )) {
            expect(Math.min(...numbersOf(share), ...numbersOf(keep))).toBe(1);
          }
        }
      });
    });

    it('keeps with probability 1 − exp(−exp(o + b)): P(o + g + b > 0) for Gumbel noise', () => {
      const bias = -0.5;
      const leaning = hypernetwork({ pairing, seed: 3, bias, temperature: 0.4 });
      let [kept, all] = [0, 0];
      tidy(() => {
        const params = silent();
        for (let draw = 0; draw < 60; draw++) {
          for (const { keep } of Object.values(
            leaning.structure(leaning.confidences(params), String(draw)),
          )) {
            kept += numbersOf(keep).reduce((a, b) => a + b, 0);
            all += keep.size;
          }
        }
      });
      const expected = 1 - Math.exp(-Math.exp(bias));
      expect(Math.abs(kept / all - expected)).toBeLessThan(4 * Math.sqrt((expected * (1 - expected)) / all));
      expect(1 - (1 - Math.exp(-Math.exp(3)))).toBeCloseTo(1.9e-9, 9);
    });

    it('draws the same structure for the same draw, and another for another', () => {
      tidy(() => {
        const params = initialize<HypernetworkParams>(network.specs, 1);
        const loose = hypernetwork({ pairing, seed: 3, bias: 0, temperature: 0.4 });
        const bits = (draw?: number) =>
          Object.values(loose.structure(loose.confidences(params), String(draw))).flatMap(
            ({ share, keep }) => [...numbersOf(share), ...numbersOf(keep)],
          );
        expect(bits(4)).toEqual(bits(4));
        expect(bits(4)).not.toEqual(bits(5));
        expect(bits()).toEqual(bits());
      });
    });

    it('passes gradients straight through the rounding: σ′((o + g + b)/τ)/τ for every entry', () => {
      tidy(() => {
        const temperature = 0.4;
        const near = hypernetwork({ pairing, seed: 3, bias: 0, temperature });
        const params = initialize<HypernetworkParams>(near.specs, 2);
        const id = 'text.blocks.1.ffn';
        const heads = params.heads[id];
        const head = heads?.share;
        if (heads === undefined || head === undefined) throw new Error('the head is missing');
        const weights = Array.from({ length: head.bias.size }, (_, i) => i + 1);
        const shareWith = (bias: Tensor1D): Tensor1D => {
          const changed = { ...params.heads, [id]: { ...heads, share: { ...head, bias } } };
          return near.structure(near.confidences({ ...params, heads: changed }))[id]?.share ?? tensor1d([]);
        };
        const { grads } = valueAndGrads((bias: Tensor) =>
          sum<Scalar>(mul(shareWith(reshape(bias, [-1])), tensor1d(weights))),
        )([head.bias]);
        const o = numbersOf(near.confidences(params)[id]?.share ?? tensor1d([]));
        numbersOf(reshape(grads[0] ?? scalar(0), [-1])).forEach((gradient, i) => {
          const y = 1 / (1 + Math.exp(-(o[i] ?? 0) / temperature));
          expect(gradient).toBeCloseTo(((weights[i] ?? 0) * y * (1 - y)) / temperature, 4);
        });
      });
    });

    it('has no head where there is nothing to learn', () => {
      const alone = hypernetwork({
        pairing: paired(small, { acrossTowers: false, baseLayers: [0] }),
        seed: 1,
        bias: 3,
        temperature: 0.4,
      });
      const headsAt = (id: string) => Object.keys(alone.specs.heads[id] ?? {});
      expect(headsAt('vision.blocks.0.ffn')).toEqual(['keep']);
      expect(headsAt('text.blocks.0.ffn')).toEqual(['keep']);
      expect(headsAt('text.blocks.1.ffn')).toEqual(['share', 'keep']);
    });
  });
}
