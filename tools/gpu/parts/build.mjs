import { provideTorchIn } from '../../setup/torch.mjs';

/** Compiles the addon against the torch that is here. */
export async function build({ folder, device, log }) {
  const { available, line } = provideTorchIn(folder, { wantsCuda: device !== 'cpu' });
  log(`${line}\n`);
  return { ok: available, line };
}
