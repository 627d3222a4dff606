export type { ReadFile, ReadPort, ReadTensor } from './file/decode';
export { type FileLabels, checkSize, encodeGraph, rawNumbers } from './file/encode';
export type { Precision } from './graph/builder';
export type { ElementType, Graph, GraphNode, GraphPort, Initializer } from './graph/graph';
export { type PairOptions, pairGraph } from './model/pair-graph';
export { type ModelPart, modelParts } from './model/part';
export { type GraphOptions, type TracedPart, opsets, partGraph } from './model/part-graph';
export type {
  Examples,
  MeasuredNorm,
  MeasuredProduct,
  MeasuredTimes,
  PartFacts,
  PartJob,
  ProofFacts,
  ProofJob,
  TimingJob,
} from './proof/job';
export { hasRuntime, proveApart } from './proof/prove-apart';
export type { TracedPass, Tracer } from './trace/trace';
export { biasCorrection, quantizeColumns } from './quantize/matrix';
export { type Calibrated, quantizeGraph } from './quantize/quantize-graph';
export { type Range, bestRange, rangeBetween, rounded } from './quantize/range';
