export { type FileLabels, checkSize, encodeGraph } from './file/encode';
export type { Precision } from './graph/builder';
export type { Graph, GraphNode, GraphPort, Initializer } from './graph/graph';
export { type ModelPart, modelParts } from './model/part';
export { type GraphOptions, type TracedPart, opsets, partGraph } from './model/part-graph';
export type { TracedPass, Tracer } from './trace/trace';
