import { join } from 'node:path';
import { child } from './child.mjs';

/** By importance: what a lease that is cut off should have measured. The engine has libtorch's kernels unless ours are asked for. */
const onGpu = [
  'own --model deit-s --batch-size 256 --precision bf16 --what train,infer --steps 10 --no-peers',
  '--model deit-s --batch-size 256 --precision bf16 --what train,infer --steps 10',
  'own --model deit-s --batch-size 8 --precision bf16 --what train,infer --steps 20 --no-peers',
  '--model deit-s --batch-size 256 --precision bf16 --what search --steps 10',
  '--model deit-s --batch-size 256 --precision f32 --what train --steps 10',
  '--model nano --precision f32 --what train,infer --steps 50',
];
/** On a processor it only shows that everything runs: what PyTorch compiles takes minutes there, and nothing is timed well. */
const onProcessor = ['--model nano --precision f32 --what train --steps 5 --eager-peers'];

export async function benchmark({ folder, device, out, log, signal }) {
  const finished = [];
  for (const what of device === 'cpu' ? onProcessor : onGpu) {
    const [first, ...others] = what.split(' ');
    const hasOwn = first === 'own';
    const all = [...(hasOwn ? others : [first, ...others]), '--engine', 'torch', '--device', device];
    const environment = hasOwn ? { WINNOW_KERNELS: 'own' } : {};
    const rounds = ['--rounds', device === 'cpu' ? '1' : '3'];
    const peers = ['--python', 'python3', '--fused-peers'];
    log(`$ bench ${what}\n`);
    const result = await child(
      join(folder, 'js', 'bench.mjs'),
      [...all, ...rounds, ...peers, '--json', join(out, 'bench.json')],
      { log, signal, environment },
    );
    finished.push({ command: what, ...result });
  }
  return { ok: finished.every(({ ok }) => ok), runs: finished };
}
