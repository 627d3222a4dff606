export { importVisionTransformer } from './checkpoint/import-vision-transformer';
export type { ImportOptions, ImportedVisionTransformer } from './checkpoint/import-vision-transformer';
export { FormatError } from './file/format-error';
export { writeAtomically } from './file/write-atomically';
export type { FileContent } from './file/write-atomically';
export { exportHuggingFace } from './hugging-face/export-vision-transformer';
export {
  decodeSafetensors,
  encodeSafetensors,
  readSafetensors,
  writeSafetensors,
} from './safetensors/safetensors';
export type { Safetensors } from './safetensors/safetensors';
export { fileSnapshotStore } from './snapshot/file-snapshot-store';
export { loadModel, saveModel } from './structure/model-folder';
export type { LoadedModel, SavedModel } from './structure/model-folder';
