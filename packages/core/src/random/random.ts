import seedrandom from 'seedrandom';

/** A stream of pseudo-random numbers. Streams with different labels are independent of each other and of call order. */
export interface RandomStream {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** Standard normal (Box–Muller). */
  normal(): number;
  /** Uniform integer in [0, bound). */
  integer(bound: number): number;
}

/** The stream named by a seed and labels: `randomStream(7, 'order', epoch)`. Same name, same numbers, on every engine. */
export function randomStream(seed: number, ...labels: (string | number)[]): RandomStream {
  const generator = seedrandom.alea([seed, ...labels].join('/'));
  const uniform = () => generator();
  return {
    uniform,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    integer: (bound) => Math.floor(uniform() * bound),
  };
}

/** 0 … size−1 in random order (Fisher–Yates). */
export function permutation(size: number, random: RandomStream): Int32Array {
  const order = Int32Array.from({ length: size }, (_, index) => index);
  for (let last = size - 1; last > 0; last--) {
    const other = random.integer(last + 1);
    const moved = order[last] ?? 0;
    order[last] = order[other] ?? 0;
    order[other] = moved;
  }
  return order;
}
