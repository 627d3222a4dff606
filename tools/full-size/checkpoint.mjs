import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const BYTES = 4;

/**
 * Writes a checkpoint of random float32 weights as Hugging Face publishes them: `config.json` beside `model.safetensors`,
 * or beside shards with their index. One tensor is in memory at a time.
 * @returns How many bytes of weights there are.
 */
export async function writeCheckpoint(folder, { json, tensors, shards }) {
  await writeFile(join(folder, 'config.json'), `${JSON.stringify(json, undefined, 2)}\n`);
  const random = randomValues(1);
  const total = bytesOf(tensors);
  const files = split(tensors, total / shards, shards).map((part, index, { length }) => ({
    name: length === 1 ? 'model.safetensors' : `model-${five(index + 1)}-of-${five(length)}.safetensors`,
    part,
  }));
  for (const { name, part } of files) await writeSafetensors(join(folder, name), part, random);
  if (files.length > 1) {
    const weight_map = Object.fromEntries(
      files.flatMap(({ name, part }) => part.map(([tensor]) => [tensor, name])),
    );
    const index = { metadata: { total_size: total }, weight_map };
    await writeFile(join(folder, 'model.safetensors.index.json'), `${JSON.stringify(index, undefined, 2)}\n`);
  }
  return total;
}

const sizeOf = (shape) => shape.reduce((product, extent) => product * extent, 1);
const bytesOf = (tensors) => tensors.reduce((total, [, shape]) => total + BYTES * sizeOf(shape), 0);
const five = (number) => String(number).padStart(5, '0');

/** In their order, a file being full at `bytes`; the last takes the rest. */
function split(tensors, bytes, count) {
  const parts = [[]];
  for (const tensor of tensors) {
    const last = parts.at(-1);
    if (parts.length < count && last.length > 0 && bytesOf([...last, tensor]) > bytes) parts.push([tensor]);
    else last.push(tensor);
  }
  return parts;
}

async function writeSafetensors(file, tensors, random) {
  const header = { __metadata__: { format: 'pt' } };
  let begin = 0;
  for (const [name, shape] of tensors) {
    const end = begin + BYTES * sizeOf(shape);
    header[name] = { dtype: 'F32', shape, data_offsets: [begin, end] };
    begin = end;
  }
  const text = JSON.stringify(header);
  const padded = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.byteLength));
  const handle = await open(file, 'wx');
  try {
    await handle.writeFile(length);
    await handle.writeFile(padded);
    for (const [name, shape] of tensors) {
      const { buffer } = valuesOf(name, shape, random);
      await handle.writeFile(new Uint8Array(buffer));
    }
  } finally {
    await handle.close();
  }
}

/** Norms near the identity and matrices that keep the size of what goes through, so that no layer is a no-op. */
function valuesOf(name, shape, random) {
  const values = new Float32Array(sizeOf(shape));
  const isNorm = /norm\d?\.weight$|layrnorm\.weight$|layernorm_\w+\.weight$/.test(name);
  if (name === 'logit_scale') return values.fill(Math.log(100));
  const isMatrix = shape.length > 1 && !/embedding|token/.test(name);
  const deviation = isMatrix ? sizeOf(shape.slice(1)) ** -0.5 : 0.02;
  const centre = isNorm ? 1 : 0;
  for (let i = 0; i < values.length; i++) values[i] = centre + deviation * random();
  return values;
}

/** Uniform numbers of mean 0 and deviation 1, from xorshift32: hundreds of millions of them in seconds. */
export function randomValues(seed) {
  const scale = Math.sqrt(12) / 2 ** 32;
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return scale * state;
  };
}
