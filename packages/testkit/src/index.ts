export { conformanceLaws, describeMethod } from './conformance/describe-method';
export type { ConformanceOptions } from './conformance/describe-method';
export { LawBroken } from './conformance/law';
export type { Law } from './conformance/law';
export type { Subject } from './conformance/subject';
export { toyData, toyShape, toyTask } from './data/toy-data';
export { tinyModel, tinyVariant } from './model/tiny-model';
export type { TinyModel } from './model/tiny-model';
export { SimulatedCrash, crashAfterSaves, memorySnapshotStore } from './store/memory-store';
