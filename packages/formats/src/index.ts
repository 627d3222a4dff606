export type { Companions } from './file/companions';
export { FormatError, systemCode } from './file/format-error';
export { checkJson, parseJson } from './file/json';
export { readJson, readJsonIfThere, writeJson } from './file/json-file';
export type { JsonFileFormat } from './file/json-file';
export { kindOf, openFile } from './file/open-file';
export type { OpenFile } from './file/open-file';
export { readBytes, readBytesIfThere, textOf } from './file/read-file';
export type { ReadingBounds } from './file/read-file';
export { digestOfFile } from './file/sha256';
export {
  checkWritable,
  clearTemporaryFiles,
  isTemporary,
  makeFolder,
  temporaryName,
  writeAtomically,
} from './file/write-atomically';
export type { FileContent } from './file/write-atomically';
export { readYaml } from './file/yaml-file';
export type { YamlFileFormat } from './file/yaml-file';
export { arePlaceholders } from './layouts/class-names';
export { configForTransformers, exportHuggingFace } from './layouts/export-hugging-face';
export { checkpointKind, importModel, importVisionTransformer } from './layouts/import-model';
export type { ImportedModel, ImportedVisionTransformer } from './layouts/import-model';
export type { ImportOptions } from './layouts/layout';
export { clipNormalisation } from './preprocessor/normalisation';
export type { PictureNormalisation } from './preprocessor/normalisation';
export {
  PREPROCESSOR_FILE,
  readPreparation,
  readPreprocessor,
  usualPreprocessor,
} from './preprocessor/preprocessor';
export type { Preprocessor } from './preprocessor/preprocessor';
export { differencesOfTransformers, preprocessorConfig } from './preprocessor/write-processor';
export { modelPy } from './pytorch/model-py';
export { type OperatorProgram, type ProgramConstant, programPy } from './pytorch/program-py';
export {
  decodeSafetensors,
  encodeSafetensors,
  readSafetensors,
  streamSafetensors,
  writeSafetensors,
} from './safetensors/safetensors';
export type { Safetensors } from './safetensors/safetensors';
export { fileSnapshotStore } from './snapshot/file-snapshot-store';
export { loadModel, modelFolderKind, saveModel } from './structure/model-folder';
export type { LoadedModel, SavedModel } from './structure/model-folder';
