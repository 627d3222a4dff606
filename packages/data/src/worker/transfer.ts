/** The memory of an array for a list of transfers: nothing where other arrays may lie in the same memory. */
export const transferable = ({ buffer, byteLength }: Uint8Array | Float32Array): ArrayBuffer[] =>
  buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : [];
