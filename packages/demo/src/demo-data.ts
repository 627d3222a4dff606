import type { Exclusion, PictureGeometry, PictureSize } from '@winnow/core';
import type { Normalisation } from '@winnow/data/preparation';

/** Bytes that a page loads in pieces, each a script of its own: so it opens from a disk as well as from a server. */
export interface PackedFile {
  /** The name of its pieces. */
  readonly id: string;
  readonly pieces: number;
  readonly bytes: number;
}

/** Pictures as a model takes them. */
export interface DemoPreparation {
  /** H and W, in pixels. */
  readonly imageSize: PictureSize;
  readonly geometry: PictureGeometry;
  readonly normalisation: Normalisation;
}

/** A model that runs in the page. */
export interface DemoModel {
  /** The name over its answers. */
  readonly title: string;
  readonly summary: string;
  readonly precision: string;
  readonly parameters: number;
  /** Multiply–accumulates for one picture. */
  readonly macs: number;
  /** The size of its files together. */
  readonly bytes: number;
  readonly preparation: DemoPreparation;
  /** The ONNX file that takes pictures. */
  readonly vision: PackedFile;
  /** The tower that takes texts, and what makes logits of both embeddings, of a dual encoder. */
  readonly text: TextReader | null;
}

/** The text tower of a dual encoder with its tokenizer. */
export interface TextReader {
  readonly file: PackedFile;
  /** A `tokenizer.json`. */
  readonly tokenizer: PackedFile;
  /** T: tokens of a text, filled up. */
  readonly context: number;
  /** logits = scale · ⟨picture, text⟩ + bias. */
  readonly scale: number;
  readonly bias: number;
}

/** Everything that the page of a demonstration is made of, but for the bytes that it loads. */
export interface DemoData {
  readonly title: string;
  /** Classes of the models' own, or texts that whoever looks on may change. */
  readonly by: 'classes' | 'texts';
  readonly exclusion: Exclusion;
  /** Names of the classes, or texts to begin with. */
  readonly names: readonly string[];
  /** The models, the one that others are compared with first. */
  readonly models: readonly DemoModel[];
  /** The files of ONNX Runtime: for the processor, and for the graphics processor. */
  readonly runtimes: Readonly<Record<Backend, PackedFile>>;
  /** Pictures to choose from, as data URIs. */
  readonly pictures: readonly { readonly name: string; readonly source: string }[];
}

/** Where the models run: WebAssembly, or WebGPU. */
export const backends = ['wasm', 'webgpu'] as const;
export type Backend = (typeof backends)[number];
