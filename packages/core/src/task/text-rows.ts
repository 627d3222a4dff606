/** Token sequences of a batch, in host memory. */
interface Texts {
  /** [M, T] */
  readonly tokens: Int32Array;
  readonly texts: number;
}

/** The texts of a batch, each by itself. */
export function textsOf({ tokens, texts }: Texts): Int32Array[] {
  const length = tokens.length / texts;
  return Array.from({ length: texts }, (_, row) => tokens.slice(row * length, (row + 1) * length));
}

/** Texts side by side; shorter ones are filled up with what ends them. */
export function textsTogether(read: readonly Int32Array[]): Texts {
  const length = read.reduce((longest, own) => Math.max(longest, own.length), 0);
  const tokens = new Int32Array(read.length * length);
  read.forEach((own, row) => {
    tokens.fill(own.at(-1) ?? 0, row * length, (row + 1) * length);
    tokens.set(own, row * length);
  });
  return { tokens, texts: read.length };
}
