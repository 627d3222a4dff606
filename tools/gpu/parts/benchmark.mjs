import { join } from 'node:path';
import { child } from './child.mjs';

/** By importance: what a lease that is cut off should have measured. On a processor they only show that everything runs. */
const onGpu = [
  '--model deit-s --batch-size 256 --precision bf16 --what train,infer --steps 10',
  '--model deit-s --batch-size 256 --precision bf16 --what search --steps 10',
  '--model deit-s --batch-size 256 --precision f32 --what train --steps 10',
  '--model nano --precision f32 --what train,infer --steps 50',
];
const onProcessor = ['--model nano --precision f32 --what train --steps 5'];

export async function benchmark({ folder, device, out, log, signal }) {
  const finished = [];
  for (const what of device === 'cpu' ? onProcessor : onGpu) {
    const all = [...what.split(' '), '--engine', 'torch', '--device', device, '--rounds', '3'];
    const peers = ['--python', 'python3', '--fused-peers'];
    log(`$ bench ${what}\n`);
    const result = await child(
      join(folder, 'js', 'bench.mjs'),
      [...all, ...peers, '--json', join(out, 'bench.json')],
      { log, signal },
    );
    finished.push({ command: what, ...result });
  }
  return { ok: finished.every(({ ok }) => ok), runs: finished };
}
