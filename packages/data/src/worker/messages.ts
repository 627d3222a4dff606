import type { DataProblem } from '../failure/data-error';
import type { Decoding } from '../picture/decoding';
import type { DecodedExample, Filling } from '../picture/fill';
import type { Picture } from '../picture/picture';

/** A piece of work for a thread. */
export type Request = { readonly id: number } & (
  | {
      readonly kind: 'decode';
      readonly path: string;
      /** The contents of the file, where the thread cannot read it by itself. */
      readonly content?: Uint8Array;
      readonly decoding: Decoding;
    }
  | { readonly kind: 'fill'; readonly pictures: readonly DecodedExample[]; readonly filling: Filling }
);

export type Reply = { readonly id: number } & (
  | { readonly kind: 'picture'; readonly picture: Picture }
  | { readonly kind: 'images'; readonly images: Float32Array<ArrayBuffer> }
  /** Something is wrong with the file. */
  | { readonly kind: 'problem'; readonly problem: DataProblem }
  /** The picture is so large that only one is decoded at a time in the whole process. */
  | { readonly kind: 'large' }
  | { readonly kind: 'failure'; readonly message: string }
);
