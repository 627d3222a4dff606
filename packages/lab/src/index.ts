export {
  type ComparisonFolder,
  type ComparisonRecord,
  comparisonFolder,
  isComparison,
  isDone,
  makeComparisonFolder,
  readComparisonRecord,
  readFailure,
  refuseForeignFolder,
  weightsDigest,
  writeComparisonRecord,
} from './comparison/comparison-folder';
export {
  type ComparisonIdentity,
  comparisonChanges,
  identifyComparison,
  locateWorkloads,
} from './comparison/comparison-identity';
export { type ConcludedComparison, conclude, PAGE_FILE } from './comparison/conclude';
export { commit, hardware } from './comparison/environment';
export { type MakeRun, executeIn } from './comparison/execute';
export { latencyFile, measuredOn, measureLatencies } from './comparison/latency';
export { type OpenedComparison, planOf, planWith } from './comparison/open-comparison';
export { runComparison } from './comparison/run-comparison';
export { runPage } from './comparison/single-run';
export { LOG_FOLDER, writeComparisonEvents } from './comparison/tensorboard';
export { type CompressPlan, compressAndSave } from './compression/compress-run';
export { runCommands } from './identity/identify';
export { type Inspection, type KeptSite, inspectionOf } from './inspection/inspection';
export { checkpointShape } from './model-source/checkpoint-choices';
export { type TaskRange, taskOfModel, withChoicesOfModel } from './model-source/choices';
export { preprocessorFiles, tokenizerFiles } from './model-source/companions';
export { type OpenedModel, digestOf, openModel, weightBytes } from './model-source/open-model';
export { saveTrained } from './model-source/save-trained';
export { type Start, originOn, startFrom, towerDigests } from './model-source/start';
export { tokenizerConfig } from './model-source/tokenizer-config';
export { writeWhole } from './model-source/write-whole';
export { budgetOf } from './options/budget';
export {
  type CompressOptions,
  compressGroups,
  compressOptions,
  denseOptions,
  everyCompressGroup,
  methodNamed,
} from './options/compress-options';
export { type OptionField, fieldsOf, valueOf } from './options/fields';
export { chosenIn, givenValues } from './options/given';
export {
  type GivenOptions,
  type OptionGroup,
  flagNames,
  givenFor,
  mergeGiven,
  resolveGroups,
} from './options/group';
export { hashOf } from './options/hash';
export { homeExpandedIn, pathOptionsOf } from './options/path-options';
export { datasetsIn, homeExpanded, listed, pathOption } from './options/path';
export { everyTrainGroup, trainGroups, trainOptions } from './options/train-options';
export {
  type DataChoice,
  adversaryOf,
  adversaryShape,
  dataOfModelShape,
  engineShape,
  executionShape,
  optimizationShape,
  outShape,
  picturesShape,
} from './options/training';
export { type Progress, eventSink } from './progress/progress';
export { writeEvents } from './results/tensorboard';
export { type PlannedRun, planRun, refuseDamaged, shortName } from './run-folder/plan-run';
export { presentState, remarksOn } from './run-folder/present-state';
export { type RunRecord, engineChoice, recordIfAny } from './run-folder/record';
export { dataOfRun } from './run-folder/run-data';
export { resumeCommand } from './run-folder/resume-command';
export { type RunFolder, beginRun } from './run-folder/run-folder';
export { lockRun, RunBusyError } from './run-folder/run-lock';
export {
  type CompressSummary,
  type Summary,
  type TrainSummary,
  finishedSummary,
  readableOr,
  readSummary,
  writeSummary,
} from './run-folder/summary';
export { startChosen } from './run/engine';
export { inSession, RunStoppedError } from './run/run-session';
export { methods, workloads } from './table';
export { checkStart } from './ticket/check-start';
export { type Control, controlled, controls } from './ticket/control';
export { type Destination, type Row, transferMatrix } from './ticket/matrix';
export { type TicketSummary, isTicketRun, ticketRunPage } from './ticket/page';
export {
  type FindSummary,
  type TicketTrainSummary,
  type TransferSummary,
  findSummary,
  readTicketSummary,
  trainSummary,
  transferSummary,
  writeTicketSummary,
} from './ticket/summary';
export { readTicket, ticketLabel, writeTicket } from './ticket/ticket-file';
export { ticketTrainingShape, trainTicket } from './ticket/training';
export { batchesOf, scoreOn } from './training/data';
export { latencyOn } from './training/latency';
export { startOfTraining, trainAndSave } from './training/train-run';
export { version } from './version';
export { announceData } from './workload/announce';
export { taskShape, workloadFor, workloadIn, workloadNamed } from './workload/choice';
export { classOrderShape } from './workload/class-order';
export { created } from './workload/created';
export { models } from './workload/sizes';
export { type WorkloadKind, sizesOf } from './workload/workload';
export { zeroShotClassifier } from './workload/zero-shot';
