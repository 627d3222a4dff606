import { hostileNumbers } from './hostile.mjs';

const BYTES = [0, 1, 0x0a, 0x20, 0x22, 0x2c, 0x7f, 0x80, 0xfe, 0xff];
const LONGEST_RUN = 4096;

const part = (random, length) => {
  const from = random.below(length + 1);
  return [from, Math.min(length, from + 1 + random.below(random.chance(0.5) ? 8 : LONGEST_RUN))];
};

const ways = {
  flip: (random, bytes) => {
    const flipped = Buffer.from(bytes);
    for (let left = 1 + random.below(8); left > 0 && flipped.length > 0; left--)
      flipped[random.below(flipped.length)] ^= 1 << random.below(8);
    return flipped;
  },
  overwrite: (random, bytes) => {
    const [from, to] = part(random, bytes.length);
    return Buffer.from(bytes).fill(random.pick(BYTES), from, to);
  },
  number: (random, bytes) => {
    const changed = Buffer.from(bytes);
    if (changed.length < 8) return changed;
    const value = BigInt(
      Math.trunc(random.pick(hostileNumbers.filter((number) => Math.abs(number) < 2 ** 64))),
    );
    const at = random.below(changed.length - 7);
    const bits = BigInt.asUintN(64, value);
    if (random.chance(0.5)) changed.writeBigUInt64LE(bits, at);
    else if (random.chance(0.5)) changed.writeUInt32LE(Number(BigInt.asUintN(32, bits)), at);
    else changed.writeUInt32BE(Number(BigInt.asUintN(32, bits)), at);
    return changed;
  },
  truncate: (random, bytes) => bytes.subarray(0, random.below(bytes.length + 1)),
  empty: () => Buffer.alloc(0),
  extend: (random, bytes) =>
    Buffer.concat([bytes, Buffer.alloc(1 + random.below(LONGEST_RUN), random.pick(BYTES))]),
  remove: (random, bytes) => {
    const [from, to] = part(random, bytes.length);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
  },
  splice: (random, bytes) => {
    const [from, to] = part(random, bytes.length);
    const at = random.below(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(from, to), bytes.subarray(at)]);
  },
  noise: (random, bytes) => {
    const [from, to] = part(random, bytes.length);
    const changed = Buffer.from(bytes);
    for (let at = from; at < to; at++) changed[at] = random.below(256);
    return changed;
  },
};

/** Changes bytes without knowing what they mean. */
export function mutateBytes(random, bytes) {
  let changed = bytes;
  for (let left = random.chance(0.7) ? 1 : 3; left > 0; left--)
    changed = random.pick(Object.values(ways))(random, changed);
  return changed;
}
