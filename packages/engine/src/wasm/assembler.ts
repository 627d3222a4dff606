/**
 * The few WebAssembly instructions that the programs in simd-programs.ts are made of. An instruction is its bytes; a
 * piece of code is instructions in a row, in the order of the stack machine. Names follow the WebAssembly text format.
 */
export type Code = readonly number[];

export function sequence(...pieces: readonly Code[]): Code {
  return pieces.flat();
}

function unsignedLeb(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return [...bytes, rest];
    bytes.push((rest & 0x7f) | 0x80);
  }
}

function signedLeb(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7) {
    const byte = rest & 0x7f;
    if ((rest >> 6 === 0 && (byte & 0x40) === 0) || (rest >> 6 === -1 && (byte & 0x40) !== 0)) {
      return [...bytes, byte];
    }
    bytes.push(byte | 0x80);
  }
}

const float32Bytes = (value: number): number[] => [...new Uint8Array(new Float32Array([value]).buffer)];
const int32Bytes = (value: number): number[] => [...new Uint8Array(new Int32Array([value]).buffer)];
const simd = (opcode: number): Code => [0xfd, ...unsignedLeb(opcode)];
/** Alignment hint of 4 bytes, then the byte offset. */
const address = (offsetBytes: number): Code => [2, ...unsignedLeb(offsetBytes)];
const inFourLanes = (bytes: number[]): Code => [...simd(0x0c), ...bytes, ...bytes, ...bytes, ...bytes];

export const local = {
  get: (index: number): Code => [0x20, ...unsignedLeb(index)],
  set: (index: number): Code => [0x21, ...unsignedLeb(index)],
  tee: (index: number): Code => [0x22, ...unsignedLeb(index)],
} as const;

export const i32 = {
  const: (value: number): Code => [0x41, ...signedLeb(value)],
  eq: [0x46],
  lessThanUnsigned: [0x49],
  add: [0x6a],
  sub: [0x6b],
  mul: [0x6c],
  and: [0x71],
  shiftLeft: [0x74],
  /** [a, b, condition] → a where the condition holds, else b. */
  select: [0x1b],
} as const;

export const v128 = {
  load: (offsetBytes = 0): Code => [...simd(0x00), ...address(offsetBytes)],
  load32Splat: (offsetBytes = 0): Code => [...simd(0x09), ...address(offsetBytes)],
  store: (offsetBytes = 0): Code => [...simd(0x0b), ...address(offsetBytes)],
  /** Stores the first of the four lanes. */
  storeFirst: (): Code => [...simd(0x5a), ...address(0), 0],
  /** [a, b, mask] → bits of a where the mask is set, else of b. */
  bitselect: simd(0x52),
} as const;

export const f32x4 = {
  const: (value: number): Code => inFourLanes(float32Bytes(value)),
  greaterThan: simd(0x44),
  nearest: simd(0x6a),
  abs: simd(0xe0),
  add: simd(0xe4),
  sub: simd(0xe5),
  mul: simd(0xe6),
  div: simd(0xe7),
  min: simd(0xe8),
  max: simd(0xe9),
} as const;

export const i32x4 = {
  const: (value: number): Code => inFourLanes(int32Bytes(value)),
  shiftLeft: simd(0xab),
  add: simd(0xae),
  fromFloat: simd(0xf8),
} as const;

/** Runs the body, and again as long as it leaves a non-zero number. */
export function repeatWhile(body: Code): Code {
  return [0x03, 0x40, ...body, 0x0d, 0, 0x0b];
}

/** Runs the body if the condition leaves a non-zero number. */
export function when(condition: Code, body: Code): Code {
  return [...condition, 0x04, 0x40, ...body, 0x0b];
}

export interface Program {
  readonly name: string;
  /** Parameters, all i32: local variables 0, 1, … */
  readonly parameterCount: number;
  /** Local variables after the parameters: i32 ones first, then v128 ones. */
  readonly integerCount: number;
  readonly vectorCount: number;
  readonly code: Code;
}

const I32 = 0x7f;
const V128 = 0x7b;

/** A WebAssembly module with the programs as exported functions, working on the memory it imports as env.memory. */
export function assemble(programs: readonly Program[]): Uint8Array {
  const list = (items: readonly Code[]): Code => [...unsignedLeb(items.length), ...items.flat()];
  const sized = (bytes: Code): Code => [...unsignedLeb(bytes.length), ...bytes];
  const text = (value: string): Code => sized([...new TextEncoder().encode(value)]);
  const section = (id: number, items: readonly Code[]): Code => [id, ...sized(list(items))];

  const types = programs.map(({ parameterCount }) => [
    0x60,
    ...list(Array.from({ length: parameterCount }, () => [I32])),
    0,
  ]);
  const bodies = programs.map(({ integerCount, vectorCount, code }) =>
    sized([
      ...list([
        [...unsignedLeb(integerCount), I32],
        [...unsignedLeb(vectorCount), V128],
      ]),
      ...code,
      0x0b,
    ]),
  );
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, types),
    ...section(2, [[...text('env'), ...text('memory'), 0x02, 0x00, 0]]),
    ...section(
      3,
      programs.map((_, index) => unsignedLeb(index)),
    ),
    ...section(
      7,
      programs.map(({ name }, index) => [...text(name), 0x00, ...unsignedLeb(index)]),
    ),
    ...section(10, bodies),
  ]);
}
