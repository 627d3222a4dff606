import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Rank,
  type Scalar,
  type Tensor,
  mul,
  reshape,
  slice,
  sum,
  tensor1d,
  tensor2d,
  tidy,
  transpose,
  valueAndGrads,
} from '@tensorflow/tfjs-core';
import { type RandomStream, initialize, mapTree, randomStream } from '@winnow/core';
import { availableEngines, startEngine } from '@winnow/engine';
import { denseParameters } from '../src/count';
import { drawGates, drawStructure, gumbelNoise, hardGates, openProbabilities } from '../src/gates';
import { gru } from '../src/gru';
import { type Hypernetwork, type HypernetworkParams, hypernetwork } from '../src/hypernetwork';
import { paired, small } from './towers';

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
    const confidencesOf = ({ confidences }: Hypernetwork, params: HypernetworkParams): Float32Array =>
      Float32Array.from(confidences(params).dataSync<'float32'>());

    it('keeps everything at the start, and again and again', () => {
      tidy(() => {
        const params = silent();
        const probabilities = openProbabilities(confidencesOf(network, params));
        for (let draw = 0; draw < 20; draw++) {
          const drawn = network.draw(network.confidences(params), String(draw));
          expect(Math.min(...drawn.vector.dataSync())).toBe(1);
          expect(drawn.stored.dataSync()[0]).toBe(denseParameters(pairing));
          expect(Math.min(...network.drawHard(probabilities, String(draw)))).toBe(1);
        }
      });
    });

    it('keeps with probability 1 − exp(−exp(o + b)): P(o + g + b > 0) for Gumbel noise', () => {
      const bias = -0.5;
      const leaning = hypernetwork({ pairing, seed: 3, bias, temperature: 0.4 });
      const { size } = leaning.layout;
      const expected = 1 - Math.exp(-Math.exp(bias));
      tidy(() => {
        const confidences = confidencesOf(leaning, silent());
        const probabilities = openProbabilities(confidences);
        const ways = [
          (random: RandomStream) => hardGates(confidences, gumbelNoise(size, random)),
          (random: RandomStream) => drawGates(probabilities, random),
        ];
        for (const drawnBy of ways) {
          const random = randomStream(1, 'draws');
          let [kept, all] = [0, 0];
          for (let draw = 0; draw < 60; draw++) {
            kept += drawnBy(random).reduce((a, b) => a + b, 0);
            all += size;
          }
          expect(Math.abs(kept / all - expected)).toBeLessThan(
            4 * Math.sqrt((expected * (1 - expected)) / all),
          );
        }
      });
      expect(1 - (openProbabilities(Float32Array.of(3))[0] ?? 0)).toBeCloseTo(1.9e-9, 9);
    });

    it('draws the same structure for the same draw, and another for another', () => {
      tidy(() => {
        const params = initialize<HypernetworkParams>(network.specs, 1);
        const loose = hypernetwork({ pairing, seed: 3, bias: 0, temperature: 0.4 });
        const probabilities = openProbabilities(confidencesOf(loose, params));
        const ways = [
          (draw: number) => [...loose.draw(loose.confidences(params), String(draw)).vector.dataSync()],
          (draw: number) => [...loose.drawHard(probabilities, String(draw))],
        ];
        for (const bits of ways) {
          expect(bits(4)).toEqual(bits(4));
          expect(bits(4)).not.toEqual(bits(5));
        }
      });
    });

    it('passes gradients straight through the rounding: σ′((o + g + b)/τ)/τ for every entry', () => {
      tidy(() => {
        const temperature = 0.4;
        const near = hypernetwork({ pairing, seed: 3, bias: 0, temperature });
        const params = initialize<HypernetworkParams>(near.specs, 2);
        const place = near.layout.places.find(({ subLayer }) => subLayer.id === 'text.blocks.1.ffn');
        const from = place?.shareFrom ?? 0;
        const columns = place?.subLayer.columns ?? 0;
        // Of what may be shared, as resolving conflicts leaves it.
        const weights = Array.from({ length: columns }, (_, i) => i + 1);
        const noise = gumbelNoise(near.layout.size, randomStream(1, 'noise'));
        const { grads } = valueAndGrads((bias: Tensor) => {
          const heads = { ...params.heads, bias: reshape<Rank.R1>(bias, [-1]) };
          const confidences = near.confidences({ ...params, heads });
          const { vector } = drawStructure(confidences, noise, { layout: near.layout, temperature });
          return sum<Scalar>(mul(slice(vector, from, columns), tensor1d(weights)));
        })([params.heads.bias]);
        const o = confidencesOf(near, params);
        const found = grads[0]?.dataSync() ?? [];
        expect(found.length).toBe(near.layout.size);
        found.forEach((gradient, entry) => {
          const y = 1 / (1 + Math.exp(-((o[entry] ?? 0) + (noise[entry] ?? 0)) / temperature));
          expect(gradient).toBeCloseTo(((weights[entry - from] ?? 0) * y * (1 - y)) / temperature, 4);
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
      const [attention, ffn] = [small.heads * small.headDim, small.hiddenDim];
      const first = attention + ffn; // m of a layer that nobody lends to
      const later = 4 * attention + 2 * ffn;
      expect(alone.specs.heads.bias.shape).toEqual([(small.layers + 1) * first + (small.layers - 1) * later]);
    });
  });
}
