export type { ReadFile, ReadPort, ReadTensor } from './file/decode';
export { type FileLabels, checkSize, encodeGraph, rawNumbers } from './file/encode';
export type { Precision } from './graph/builder';
export type { ElementType, Graph, GraphNode, GraphPort, Initializer } from './graph/graph';
export { type PairOptions, pairGraph } from './model/pair-graph';
export { engineInputs } from './model/engine-inputs';
export { modelParts } from './model/model-parts';
export type { ModelPart, PartName, TextsRead } from './model/part';
export { type GraphOptions, type TracedPart, opsets, partGraph } from './model/part-graph';
export type {
  Answers,
  ExampleInput,
  Examples,
  MeasuredMerge,
  MeasuredNorm,
  MeasuredProduct,
  MeasuredResize,
  MeasuredTimes,
  PartFacts,
  PartJob,
  ProofFacts,
  ProofJob,
  TimingJob,
} from './proof/job';
export { hasRuntime, proveApart } from './proof/prove-apart';
export { thinned } from './proof/thinned';
export type { TracedPass, Tracer } from './trace/trace';
export { biasCorrection, greatestTogether, quantizeColumns } from './quantize/matrix';
export { type Calibrated, quantizeGraph } from './quantize/quantize-graph';
export { type Range, bestRange, rangeBetween, rounded } from './quantize/range';
