import { hostileNumbers } from './hostile.mjs';
import { mutateBytes } from './mutate-bytes.mjs';
import { mutateTree } from './mutate-json.mjs';

/** A safetensors file of a header and the bytes behind it. */
export function joined(header, data, statedLength) {
  const text = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt.asUintN(64, BigInt(statedLength ?? text.length)));
  return Buffer.concat([length, text, data]);
}

const headerLength = (bytes) => Number(bytes.readBigUInt64LE(0));

const lies = [
  (random, tensor) => (tensor.shape = tensor.shape.with(0, random.pick(hostileNumbers))),
  (random, tensor) => (tensor.shape = Array(random.pick([0, 1, 5, 100])).fill(random.pick([1, 2, 65_536]))),
  (random, tensor) =>
    (tensor.data_offsets = tensor.data_offsets.with(random.below(2), random.pick(hostileNumbers))),
  (_random, tensor) => tensor.data_offsets.reverse(),
  (random, tensor) =>
    (tensor.dtype = random.pick(['F64', 'F16', 'BF16', 'I64', 'U8', 'BOOL', 'F8_E4M3', 'f32', ''])),
  (random, tensor, all) => (tensor.data_offsets = random.pick(all).data_offsets),
  (random, tensor, all) => (tensor.shape = random.pick(all).shape),
  (_random, tensor) => (tensor.shape = tensor.shape.toReversed()),
];

const renames = [
  (name) => name.replace(/\d+/, '999999999'),
  (name) => name.replace(/\d+/, '1'),
  (name) => name.replace(/\d+/, '-1'),
  (name) => `../../${name}`,
  () => '__proto__',
  (name) => `${name}\0`,
];

const whole = [
  (random, header, data) => {
    const tree = JSON.parse(header);
    const tensors = Object.entries(tree).filter(([name]) => name !== '__metadata__');
    if (tensors.length === 0) return joined(header, data);
    const all = tensors.map(([, tensor]) => tensor);
    random.pick(lies)(random, random.pick(all), all);
    return joined(JSON.stringify(tree), data);
  },
  (random, header, data) => {
    const tree = JSON.parse(header);
    const names = Object.keys(tree);
    const chosen = random.pick(names);
    const rename = random.pick(renames);
    return joined(
      `{${names.map((name) => `${JSON.stringify(name === chosen ? rename(name) : name)}:${JSON.stringify(tree[name])}`).join()}}`,
      data,
    );
  },
  (random, header, data, canary) => joined(mutateTree(random, JSON.parse(header), canary), data),
  (random, header, data) => joined(header, data, Math.trunc(random.pick(hostileNumbers))),
  (random, header, data) => joined(header.padEnd(header.length + random.below(100_000)), data),
  (random, header, data) => {
    // Numbers that are none, or too large to compute with.
    const changed = Buffer.from(data);
    const value = random.pick([NaN, Infinity, -Infinity, 1e38, -1e38, 1e-40]);
    for (
      let at = 4 * random.below(changed.length / 4 + 1), left = random.pick([1, 100, 1e6]);
      left > 0 && at + 4 <= changed.length;
      at += 4, left--
    )
      changed.writeFloatLE(value, at);
    return joined(header, changed);
  },
];

/** Changes a safetensors file: its bytes, the header's values, and lies about shapes, places and lengths. */
export function mutateSafetensors(random, bytes, canary) {
  if (random.chance(0.25)) return mutateBytes(random, bytes);
  const length = headerLength(bytes);
  const header = bytes.subarray(8, 8 + length).toString('utf8');
  return random.pick(whole)(random, header, bytes.subarray(8 + length), canary);
}
