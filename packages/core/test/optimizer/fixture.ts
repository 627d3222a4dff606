import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Reference results that come with the project's specifications, beside the repository unless WINNOW_SHARED says where. */
const shared =
  process.env['WINNOW_SHARED'] ?? fileURLToPath(new URL('../../../../../shared', import.meta.url));
const folder = join(shared, 'fixtures', 'adamw');

export const hasFixture = existsSync(folder);

export function fixtureConfig(): Record<string, unknown> {
  return JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as Record<string, unknown>;
}

/** A float32 tensor of the trajectory. The format's own package depends on this one, so a few lines read it here. */
export function fixtureTensor(name: string): { shape: number[]; values: Float32Array } {
  const file = readFileSync(join(folder, 'trajectory.safetensors'));
  const start = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, start)) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  const found = header[name];
  if (found?.dtype !== 'F32') throw new Error(`no float32 tensor ${name} in the fixture`);
  const [from, to] = found.data_offsets;
  const bytes = Uint8Array.from(file.subarray(start + from, start + to));
  return { shape: found.shape, values: new Float32Array(bytes.buffer) };
}
