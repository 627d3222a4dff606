/** The greatest number that float16 has. */
export const GREATEST_HALF = 65504;

const bits = new DataView(new ArrayBuffer(4));

/** The float16 next to a number, as its bits; of two that are as near the even one, as IEEE 754 rounds. */
export function halfOf(value: number): number {
  bits.setFloat32(0, value);
  const word = bits.getUint32(0);
  const sign = (word >>> 16) & 0x8000;
  const exponent = (word >>> 23) & 0xff;
  const fraction = word & 0x7fffff;
  if (exponent === 0xff) return sign | 0x7c00 | (fraction === 0 ? 0 : 0x200);
  const own = exponent - 112;
  if (own >= 31) return sign | 0x7c00;
  if (own <= 0) {
    if (own < -10) return sign;
    const whole = fraction | 0x800000;
    const shift = 14 - own;
    return sign | rounded(whole, shift);
  }
  // A fraction that rounds up to the next power of two carries into the exponent.
  return sign | ((own << 10) + rounded(fraction, 13));
}

function rounded(value: number, shift: number): number {
  const kept = value >>> shift;
  const rest = value & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return kept + (rest > half || (rest === half && (kept & 1) === 1) ? 1 : 0);
}

/** The number that the bits of a float16 stand for. */
export function numberOfHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
