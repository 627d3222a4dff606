export { importModel, importVisionTransformer } from './checkpoint/import-model';
export type { ImportedModel, ImportedVisionTransformer } from './checkpoint/import-model';
export type { ImportOptions } from './checkpoint/reading';
export { FormatError } from './file/format-error';
export { writeAtomically } from './file/write-atomically';
export type { FileContent } from './file/write-atomically';
export { exportHuggingFace } from './hugging-face/export-hugging-face';
export {
  PREPROCESSOR_FILE,
  clipNormalisation,
  preprocessorConfig,
  readNormalisation,
} from './preprocessor/preprocessor';
export type { PictureNormalisation } from './preprocessor/preprocessor';
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
