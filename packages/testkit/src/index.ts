export { conformanceLaws, describeMethod } from './conformance/describe-method';
export type { ConformanceOptions } from './conformance/describe-method';
export { LawBroken } from './conformance/law';
export type { Law } from './conformance/law';
export { compressTiny } from './conformance/subject';
export type { Outcome, Subject, Trial } from './conformance/subject';
export { exampleModule } from './documents/example';
export { toyData, toyShape, toyTask } from './data/toy-data';
export { type Levels, makePictures, writePicture } from './data/pictures';
export { toyDetection, toyDetectionTask } from './data/toy-detection';
export { toyGrounding, toyGroundingTask } from './data/toy-grounding';
export { toyRegionShape, toyRegionTask, toyRegions } from './data/toy-regions';
export { toyPairs, toyRetrieval } from './data/toy-pairs';
export {
  tinyDualEncoder,
  tinyDualEncoderVariant,
  tinySigmoidEncoder,
  tinySigmoidEncoderVariant,
  tinyTwinsVariant,
} from './model/tiny-dual-encoder';
export { crossEncoder, crossEncoderFamily } from './model/cross-encoder';
export type { CrossEncoderConfig, CrossEncoderInputs } from './model/cross-encoder';
export {
  crossEncoders,
  detectors,
  dualEncoders,
  groundingModels,
  lxmerts,
  segmenters,
  sigmoidEncoders,
  tinyKinds,
  twinEncoders,
  uniters,
  visionTransformers,
} from './model/tiny-kind';
export type { TinyKind } from './model/tiny-kind';
export { tinyGlip, tinyGlipVariant } from './model/tiny-glip';
export { tinyMdetr, tinyMdetrVariant } from './model/tiny-mdetr';
export { tinyModel, tinyVariant } from './model/tiny-model';
export type { TinyModel } from './model/tiny-model';
export { chromiumPath } from './browser/chromium';
export { python, pythonHas, runPython } from './python/python';
export { redisProgram, startRedis } from './redis/redis-server';
export type { RedisServer } from './redis/redis-server';
export { inTemporaryFolder } from './folder/temporary-folder';
export { SimulatedCrash, crashAfterSaves, memorySnapshotStore } from './store/memory-store';
export { HUB_TOKEN, startHub } from './hub/hub-server';
export type { HubServer, ServedFiles, ServedModel } from './hub/hub-server';
export type { HubFault, HubRequest, Misbehaviour } from './hub/hub-fault';
