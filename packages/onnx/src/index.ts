export type { ReadFile, ReadPort, ReadTensor } from './file/decode';
export { type FileLabels, checkSize, encodeGraph, rawNumbers } from './file/encode';
export type { Precision } from './graph/builder';
export type { ElementType, Graph, GraphNode, GraphPort, Initializer } from './graph/graph';
export { type PairOptions, pairGraph } from './model/pair-graph';
export { engineInputs } from './model/engine-inputs';
export { modelParts } from './model/model-parts';
export type { ModelPart, PartName, TextsRead } from './model/part';
export { type GraphOptions, type TracedPart, opsets, partGraph } from './model/part-graph';
export {
  type Answers,
  type ExampleInput,
  type Examples,
  LEAST_ROUNDS,
  type MeasuredMerge,
  type MeasuredNorm,
  type MeasuredProduct,
  type MeasuredResize,
  type MeasuredTimes,
  type PartFacts,
  type PartJob,
  type ProofFacts,
  type ProofJob,
  type TimingJob,
} from './proof/job';
export { hasRuntime, proveApart } from './proof/prove-apart';
export { thinned } from './proof/thinned';
export type { TracedPass, Tracer } from './trace/trace';
export { biasCorrection, greatestTogether, quantizeColumns } from './quantize/matrix';
export { type Calibrated, quantizeGraph } from './quantize/quantize-graph';
export { type Range, bestRange, rangeBetween, rounded } from './quantize/range';
