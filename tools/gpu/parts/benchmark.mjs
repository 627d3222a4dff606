import { join } from 'node:path';
import { child } from './child.mjs';

const TRAIN_AND_INFER = '--precision bf16 --what train,infer';
const DEIT = `--model deit-s --batch-size 256 ${TRAIN_AND_INFER} --steps 10`;
const CLIP = '--model clip-b --batch-size 128 --precision bf16 --what train --steps 5';

/**
 * By importance: what a lease that is cut off should have measured. The engine has libtorch's kernels unless ours are asked for (own). On a
 * processor it only shows that everything runs: what PyTorch compiles takes minutes there, and nothing is timed well.
 */
const benchmarks = {
  bench: {
    gpu: [
      `own ${DEIT} --no-peers`,
      DEIT,
      `own --model deit-s --batch-size 8 ${TRAIN_AND_INFER} --steps 20 --no-peers`,
      '--model deit-s --batch-size 256 --precision f32 --what train --steps 10',
      '--model nano --precision f32 --what train,infer --steps 50',
    ],
    processor: ['--model nano --precision f32 --what train --steps 5 --eager-peers'],
  },
  clip: {
    gpu: [`own ${CLIP} --no-peers`, CLIP],
    processor: ['--model clip-b --batch-size 2 --precision bf16 --what train,infer --steps 1 --eager-peers'],
  },
};

/** Seconds that an answer may take on a GPU: what PyTorch compiles takes a minute or more. On a processor there is no hurry. */
const PATIENCE = 120;

/** @param {keyof typeof benchmarks} part */
export const benchmark = (part) =>
  async function ({ folder, device, out, log, signal }) {
    const isOnProcessor = device === 'cpu';
    const finished = [];
    for (const what of benchmarks[part][isOnProcessor ? 'processor' : 'gpu']) {
      const words = what.split(' ');
      const hasOwn = words[0] === 'own';
      const environment = hasOwn ? { WINNOW_KERNELS: 'own' } : {};
      const asked = [...(hasOwn ? words.slice(1) : words), '--engine', 'torch', '--device', device];
      const rounds = isOnProcessor ? ['--rounds', '1'] : ['--rounds', '3', '--patience', String(PATIENCE)];
      const peers = ['--python', 'python3', '--fused-peers', '--cast-peers'];
      log(`$ bench ${what}\n`);
      const result = await child(
        join(folder, 'js', 'bench.mjs'),
        [...asked, ...rounds, ...peers, '--json', join(out, 'bench.json')],
        { log, signal, environment },
      );
      finished.push({ command: what, ...result });
    }
    return { ok: finished.every(({ ok }) => ok), runs: finished };
  };
