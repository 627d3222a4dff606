/** The most that the archive may have: 64 MiB travel to the machine with the GPU, of which the clone takes some. */
export const MOST_MIB = 55;

export const mebibytes = (bytes) => bytes / 2 ** 20;

/**
 * @returns {string} how large the archive is.
 * @throws {Error} if it is larger than can be taken along.
 */
export function checkedSize(bytes) {
  const size = mebibytes(bytes);
  const line = `${size.toFixed(1)} MiB of at most ${MOST_MIB} MiB`;
  if (size > MOST_MIB) throw new Error(`The archive is too large: ${line}.`);
  return line;
}
