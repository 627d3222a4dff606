import { existsSync, readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { EngineUnavailableError, availableEngines, engineNames, startEngine } from '../src/index';

const available = new Map((await availableEngines()).map((engine) => [engine.name, engine]));

describe('startEngine', () => {
  for (const name of engineNames) {
    const state = available.get(name);
    if (state?.available !== true) {
      it.skip(`starts ${name} (not available here: ${state?.reason ?? 'unknown engine'})`, () => undefined);
      continue;
    }

    it(`starts ${name} and makes it current`, async () => {
      const started = await startEngine(name);
      expect(started.name).toBe(name);
      expect(started.description).toMatch(new RegExp(`^${name} \\d`));
      expect(started.description).not.toContain('\n');
      expect(tf.getBackend()).toBe(name);
    });

    it(`starts ${name} a second time`, async () => {
      await startEngine(name);
      await startEngine(name);
      expect(await tf.sum(tf.ones([17, 20]), 0).data()).toEqual(new Float32Array(20).fill(17));
    });

    it(`multiplies matrices and computes erf on ${name}`, async () => {
      await startEngine(name);
      const a = tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]);
      const b = tf.tensor2d([1, 0, -1, 2, 0.5, 3], [2, 3]);
      expect([...(await tf.matMul(a, b, false, true).data())]).toEqual([-2, 12, -2, 28.5]);
      const erf = await tf.erf([0, 0.5, -1, 6]).data();
      [0, 0.5204998778, -0.8427007929, 1].forEach((expected, index) => {
        expect(erf[index]).toBeCloseTo(expected, 6);
      });
    });

    it(`answers with the same bytes each time on ${name}`, async () => {
      await startEngine(name, name === 'torch' ? { threads: 2 } : {});
      const a = tf.randomNormal([256, 17, 32], 0, 1, 'float32', 1);
      const b = tf.randomNormal([256, 17, 32], 0, 1, 'float32', 2);
      const compute = () =>
        tf.tidy(() => tf.sum(tf.matMul(tf.softmax(tf.matMul(a, b, false, true)), b), [0, 1]).dataSync());
      const first = compute();
      for (let repetition = 0; repetition < 10; repetition++) expect(compute()).toEqual(first);
    });
  }

  const onTorch = available.get('torch')?.available === true ? it : it.skip;

  onTorch('starts torch with what is asked, and again with something else', async () => {
    const first = await startEngine('torch', { precision: 'bf16', threads: 1, device: 'cpu' });
    expect(first).toMatchObject({ precision: 'bf16', threads: 1, device: 'cpu' });
    expect(first.description).toMatch(/on the CPU \(1 thread, bf16\)$/);
    const second = await startEngine('torch', { threads: 2 });
    expect(second.description).toMatch(/on the CPU \(2 threads, f32\)$/);
  });

  onTorch('starts torch with the threads that OMP_NUM_THREADS says, where none are asked for', async () => {
    const before = process.env['OMP_NUM_THREADS'];
    try {
      for (const [said, threads] of [
        ['3', 3],
        ['2,4', 2],
      ] as const) {
        process.env['OMP_NUM_THREADS'] = said;
        expect(await startEngine('torch')).toMatchObject({ threads });
      }
      process.env['OMP_NUM_THREADS'] = 'many';
      await expect(startEngine('torch')).rejects.toThrow(
        'OMP_NUM_THREADS: expected a number of threads, got "many"',
      );
      expect(await startEngine('torch', { threads: 1 })).toMatchObject({ threads: 1 });
    } finally {
      if (before === undefined) delete process.env['OMP_NUM_THREADS'];
      else process.env['OMP_NUM_THREADS'] = before;
    }
  });

  onTorch('takes torch for bf16', async () => {
    expect(await startEngine('auto', { precision: 'bf16' })).toMatchObject({
      name: 'torch',
      precision: 'bf16',
    });
  });

  const cpuFlags = existsSync('/proc/cpuinfo') ? readFileSync('/proc/cpuinfo', 'utf8') : '';
  const isNative = available.get('torch')?.available === true && process.arch === 'x64' && cpuFlags !== '';

  (isNative ? it : it.skip)('takes bf16 by itself where the processor multiplies it', async () => {
    const multiplies = /\b(amx_bf16|avx512_bf16)\b/.test(cpuFlags);
    const { precision, description } = await startEngine('torch', { precision: 'auto' });
    expect(precision).toBe(multiplies ? 'bf16' : 'f32');
    expect(description).toMatch(multiplies ? /bf16, which is faster here/ : /f32, as bf16 is no faster here/);
  });

  it('takes f32 by itself on an engine that has nothing else', async () => {
    expect(await startEngine('wasm', { precision: 'auto' })).toMatchObject({ precision: 'f32' });
  });

  onTorch('says that a GPU is not there', async () => {
    await expect(startEngine('torch', { device: 'cuda:99' })).rejects.toThrow(
      /"torch" is not available: it does not start \(.*not on cuda:99|no cuda:99/,
    );
  });

  it.each([
    ['wasm', { precision: 'bf16' }, /f32 only, not in bf16/],
    ['wasm', { threads: 2 }, /on one thread, not on 2/],
    ['wasm', { device: 'cuda' }, /on the CPU only, not on cuda/],
    ['tensorflow', { precision: 'bf16' }, /f32 only, not in bf16/],
  ] as const)('refuses on %s what it cannot do: %j', async (name, options, reason) => {
    const starting = startEngine(name, options);
    await expect(starting).rejects.toThrow(EngineUnavailableError);
    await expect(starting).rejects.toThrow(reason);
  });

  it('takes the fastest engine that is there', async () => {
    const fastest = engineNames.find((name) => available.get(name)?.available);
    expect((await startEngine('auto')).name).toBe(fastest);
  });
});
