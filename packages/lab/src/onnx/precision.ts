import type { PartName } from '@winnow/onnx';

/** The numbers that ONNX files are written in. */
export const onnxPrecisions = ['f32', 'f16', 'int8'] as const;
export type OnnxPrecision = (typeof onnxPrecisions)[number];

/** The operator sets that the exporter knows. */
export const ONNX_OPSETS = { first: 17, last: 22 } as const;

/** Ends of names by which transformers.js tells the precisions of one model apart. */
const suffixes: Readonly<Record<OnnxPrecision, string>> = {
  f32: '',
  f16: '_fp16',
  int8: '_quantized',
};

/** The path of a part's file below its folder: where transformers.js looks for it. */
export const onnxFile = (part: PartName, precision: OnnxPrecision): string =>
  `onnx/${part === 'model' ? part : `${part}_model`}${suffixes[precision]}.onnx`;
