import {
  f32x4,
  i32,
  i32x4,
  local,
  repeatWhile,
  sequence,
  v128,
  when,
  type Code,
  type Program,
} from './assembler';

// The variables of a program have numbers: parameters first, then integers, then vectors.

const advance = (variable: number, by: Code): Code =>
  sequence(local.get(variable), by, i32.add, local.set(variable));

/** The vector variables that the body of an elementwise program has for itself. */
const scratch = { x: 4, first: 5, second: 6, third: 7 } as const;

/**
 * out[i] = f(x[i]) for `count` numbers: four at a time, then one at a time.
 * `body` takes a vector from the stack and leaves one.
 */
function elementwise(name: string, body: Code): Program {
  const { x, out, count, end } = { x: 0, out: 1, count: 2, end: 3 };
  const pass = (numbersPerStep: number, load: Code, store: Code): Code =>
    when(
      sequence(local.get(x), local.get(end), i32.lessThanUnsigned),
      repeatWhile(
        sequence(
          ...[local.get(out), local.get(x), load, body, store],
          advance(out, i32.const(4 * numbersPerStep)),
          ...[local.get(x), i32.const(4 * numbersPerStep), i32.add, local.tee(x)],
          ...[local.get(end), i32.lessThanUnsigned],
        ),
      ),
    );
  const endAfter = (mask: number): Code =>
    sequence(
      ...[local.get(x), local.get(count), i32.const(mask), i32.and, i32.const(2), i32.shiftLeft],
      ...[i32.add, local.set(end)],
    );
  const code = sequence(
    ...[endAfter(-4), pass(4, v128.load(), v128.store())],
    ...[endAfter(3), pass(1, v128.load32Splat(), v128.storeFirst())],
  );
  return { name, parameterCount: 3, integerCount: 1, vectorCount: 4, code };
}

/** ((c₀·s + c₁)·s + c₂)·s + …, coefficients from the highest power down. */
function polynomial(coefficients: readonly number[], s: number): Code {
  const [highest = 0, ...others] = coefficients;
  return sequence(
    f32x4.const(highest),
    ...others.map((each) => sequence(local.get(s), f32x4.mul, f32x4.const(each), f32x4.add)),
  );
}

const LARGEST_EXPONENT = 88.722839;
const SMALLEST_EXPONENT = -87.3;

/**
 * exp of the vector on the stack, which is between the two exponents above: 2ⁿ · exp(r) with r = v − n·ln 2 in
 * [−ln 2 / 2, ln 2 / 2] (the coefficients of Cephes' expf). Within 2 units in the last place; below −87 it is 0.
 */
function exponential(): Code {
  const { second: n, third: r } = scratch;
  return sequence(
    ...[local.tee(r), f32x4.const(Math.LOG2E), f32x4.mul, f32x4.nearest, local.set(n)],
    // ln 2 in two parts, the first with so few digits that n times it is exact.
    ...[local.get(r), local.get(n), f32x4.const(0.693359375), f32x4.mul, f32x4.sub],
    ...[local.get(n), f32x4.const(2.1219444e-4), f32x4.mul, f32x4.add, local.set(r)],
    polynomial(
      [
        1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1, 1,
        1,
      ],
      r,
    ),
    // 2ⁿ as 2 · 2ⁿ⁻¹: exponent bits alone cannot hold 2¹²⁸. n = −126 becomes 0, where exp ends anyway.
    ...[local.get(n), i32x4.fromFloat, i32x4.const(126), i32x4.add, i32.const(23), i32x4.shiftLeft],
    ...[f32x4.mul, f32x4.const(2), f32x4.mul],
  );
}

const exp = elementwise(
  'exp',
  sequence(
    ...[local.set(scratch.x), f32x4.const(Number.POSITIVE_INFINITY)],
    ...[
      local.get(scratch.x),
      f32x4.const(SMALLEST_EXPONENT),
      f32x4.max,
      f32x4.const(LARGEST_EXPONENT),
      f32x4.min,
    ],
    exponential(),
    ...[local.get(scratch.x), f32x4.const(LARGEST_EXPONENT), f32x4.greaterThan, v128.bitselect],
  ),
);

/**
 * Juffa's erf: a polynomial near 0, 1 − exp(polynomial of |x|) further out, both computed, one taken. Within 1.2e-7.
 */
function errorFunction(): Program {
  const { x, first: magnitude, second, third } = scratch;
  const near = sequence(
    ...[local.get(x), local.get(x), f32x4.mul, local.set(second)],
    polynomial(
      [-5.96761703e-4, 4.99119423e-3, -2.67681349e-2, 1.12819925e-1, -3.76125336e-1, 1.28379166e-1],
      second,
    ),
    ...[local.get(x), f32x4.mul, local.get(x), f32x4.add],
  );
  const far = sequence(
    polynomial(
      [
        -1.7285347e-5, 3.83197126e-4, -3.88396438e-3, 2.42546219e-2, -1.06777877e-1, -6.34846687e-1,
        -1.28717512e-1,
      ],
      magnitude,
    ),
    ...[local.get(magnitude), f32x4.mul, local.get(magnitude), f32x4.sub, exponential(), local.set(third)],
    ...[f32x4.const(1), local.get(third), f32x4.sub],
    // The magnitude from here, the sign from x.
    ...[local.get(x), i32x4.const(0x7fffffff), v128.bitselect],
  );
  const isFar = sequence(local.get(magnitude), f32x4.const(0.927734375), f32x4.greaterThan);
  // From 4 on erf is 1 in single precision.
  const start = sequence(local.tee(x), f32x4.abs, f32x4.const(4), f32x4.min, local.set(magnitude));
  return elementwise('erf', sequence(start, far, near, isFar, v128.bitselect));
}

/** x · P(x²) / Q(x²) on [−7.9, 7.9], ±1 outside: the approximation of TensorFlow on the CPU (Eigen's), within 5e-7. */
function hyperbolicTangent(): Program {
  const { x, first: square } = scratch;
  const numerator = [
    ...[-2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11, 5.12229709037114e-8],
    ...[1.48572235717979e-5, 6.37261928875436e-4, 4.89352455891786e-3],
  ];
  const denominator = [1.19825839466702e-6, 1.18534705686654e-4, 2.268434632439e-3, 4.89352518554385e-3];
  const limit = 7.90531110763549805;
  return elementwise(
    'tanh',
    sequence(
      ...[f32x4.const(-limit), f32x4.max, f32x4.const(limit), f32x4.min, local.tee(x)],
      ...[local.get(x), f32x4.mul, local.set(square)],
      ...[polynomial(numerator, square), local.get(x), f32x4.mul],
      ...[polynomial(denominator, square), f32x4.div],
    ),
  );
}

/** Steps a block of `size` along `extent`; the last block is moved back to end at the edge, so none is cut. */
function blocks(position: number, size: number, extent: number, body: Code): Code {
  const last = sequence(local.get(extent), i32.const(size), i32.sub);
  const next = sequence(local.get(position), i32.const(size), i32.add);
  return sequence(
    ...[i32.const(-size), local.set(position)],
    repeatWhile(
      sequence(
        ...[next, last, next, last, i32.lessThanUnsigned, i32.select, local.set(position)],
        body,
        ...[local.get(position), last, i32.lessThanUnsigned],
      ),
    ),
  );
}

export const BLOCK_ROWS = 4;
export const BLOCK_COLUMNS = 8;

/**
 * out[m, n] = a[m, k] · b[k, n] for m ≥ 4, n ≥ 8, k ≥ 1; b and out in row order, a at any strides (so transposed, too).
 * A block of 4 × 8 sums stays in registers while k runs.
 */
function matrixProduct(): Program {
  const { a, b, out, m, n, k } = { a: 0, b: 1, out: 2, m: 3, n: 4, k: 5 };
  const { aRowBytes, aColumnBytes } = { aRowBytes: 6, aColumnBytes: 7 };
  const { i, j, left, bNow, outNow, rowBytes } = { i: 8, j: 9, left: 10, bNow: 11, outNow: 12, rowBytes: 13 };
  const { b0, b1, value } = { b0: 18, b1: 19, value: 20 };
  const rows = [
    { pointer: 14, sums: [21, 22] },
    { pointer: 15, sums: [23, 24] },
    { pointer: 16, sums: [25, 26] },
    { pointer: 17, sums: [27, 28] },
  ] as const;
  const addProduct = (sum: number, factor: number): Code =>
    sequence(local.get(sum), local.get(value), local.get(factor), f32x4.mul, f32x4.add, local.set(sum));

  const start = sequence(
    ...rows.map(({ pointer, sums }, row) =>
      sequence(
        ...[local.get(a), local.get(i), i32.const(row), i32.add, local.get(aRowBytes), i32.mul, i32.add],
        ...[local.set(pointer), f32x4.const(0), local.tee(sums[0]), local.set(sums[1])],
      ),
    ),
    ...[local.get(b), local.get(j), i32.const(2), i32.shiftLeft, i32.add, local.set(bNow)],
    ...[local.get(k), local.set(left)],
  );
  const step = sequence(
    ...[local.get(bNow), v128.load(), local.set(b0), local.get(bNow), v128.load(16), local.set(b1)],
    ...rows.map(({ pointer, sums }) =>
      sequence(
        ...[local.get(pointer), v128.load32Splat(), local.set(value)],
        ...[addProduct(sums[0], b0), addProduct(sums[1], b1), advance(pointer, local.get(aColumnBytes))],
      ),
    ),
    advance(bNow, local.get(rowBytes)),
    ...[local.get(left), i32.const(1), i32.sub, local.tee(left)],
  );
  const finish = sequence(
    ...[local.get(out), local.get(i), local.get(rowBytes), i32.mul, i32.add],
    ...[local.get(j), i32.const(2), i32.shiftLeft, i32.add, local.set(outNow)],
    ...rows.map(({ sums }) =>
      sequence(
        ...[local.get(outNow), local.get(sums[0]), v128.store()],
        ...[local.get(outNow), local.get(sums[1]), v128.store(16)],
        advance(outNow, local.get(rowBytes)),
      ),
    ),
  );
  const code = sequence(
    ...[local.get(n), i32.const(2), i32.shiftLeft, local.set(rowBytes)],
    blocks(i, BLOCK_ROWS, m, blocks(j, BLOCK_COLUMNS, n, sequence(start, repeatWhile(step), finish))),
  );
  return { name: 'matrixProduct', parameterCount: 8, integerCount: 10, vectorCount: 11, code };
}

export const SUM_COLUMNS = 16;

/** out[columns] = Σ over rows of x[rows, columns], for rows ≥ 1, columns ≥ 16. */
function columnSums(): Program {
  const { x, out, rows, columns } = { x: 0, out: 1, rows: 2, columns: 3 };
  const { j, left, now, rowBytes } = { j: 4, left: 5, now: 6, rowBytes: 7 };
  const sums = [8, 9, 10, 11];
  const columnOffset = sequence(local.get(j), i32.const(2), i32.shiftLeft, i32.add);
  const code = sequence(
    ...[local.get(columns), i32.const(2), i32.shiftLeft, local.set(rowBytes)],
    blocks(
      ...([j, SUM_COLUMNS, columns] as const),
      sequence(
        ...sums.map((sum) => sequence(f32x4.const(0), local.set(sum))),
        ...[local.get(x), columnOffset, local.set(now), local.get(rows), local.set(left)],
        repeatWhile(
          sequence(
            ...sums.map((sum, index) =>
              sequence(local.get(sum), local.get(now), v128.load(16 * index), f32x4.add, local.set(sum)),
            ),
            advance(now, local.get(rowBytes)),
            ...[local.get(left), i32.const(1), i32.sub, local.tee(left)],
          ),
        ),
        ...sums.map((sum, index) =>
          sequence(local.get(out), columnOffset, local.get(sum), v128.store(16 * index)),
        ),
      ),
    ),
  );
  return { name: 'columnSums', parameterCount: 4, integerCount: 4, vectorCount: 4, code };
}

export const simdPrograms: readonly Program[] = [
  exp,
  errorFunction(),
  hyperbolicTangent(),
  matrixProduct(),
  columnSums(),
];
