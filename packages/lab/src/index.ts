// Runs: a folder each, which is locked, goes on where it was stopped, and ends in a summary.
export { compress, train } from './run/train-and-compress';
export type { CompressRequest, RunSetting, TrainRequest } from './run/train-and-compress';
export { makeRun } from './run/make-run';
export type { AskedRun, FinishedRun } from './run/make-run';
export { runKinds } from './run/run-kinds';
export type { ChosenForGroups, RunKind, RunOptions } from './run/run-kind';
export type { RunWatch } from './run/watch';
export { RunStoppedError } from './run/run-session';
export { RunBusyError } from './run-folder/run-lock';
export { readSummary } from './run-folder/summary';
export type { CompressSummary, Summary, TrainSummary } from './run-folder/summary';

// Models from disk.
export { pinnedModel } from './model-source/hub-model';
export { isHubName } from './hub/hub-name';
export type { HubWatch } from './hub/snapshot';
export { openModel } from './model-source/open-model';
export type { OpenedModel } from './model-source/open-model';
export { picturesOf } from './workload/prepared';
export { evaluateGroup, evaluateModel } from './evaluation/evaluate';
export type { Evaluation } from './evaluation/evaluate';
export { planGroup } from './planning/plan-options';
export { planModel } from './planning/plan-model';
export type { PlanWatch } from './planning/plan-model';
export type { BuiltPoint, PlannedModel, PlannedPoint } from './planning/planned-model';
export { planFileShape, writePlan } from './planning/write-plan';
export { predictGroup, predictPictures } from './prediction/predict';
export type { PredictSetting } from './prediction/predict';
export type { FoundBox, PicturePrediction, Predictions } from './prediction/predictions';
export { namedBy, predictionsFileShape, writePredictions } from './prediction/write-predictions';
export { inspectGroup, inspectModel } from './inspection/inspect-model';
export type { InspectedModel } from './inspection/inspect-model';
export type { Inspection, KeptSite } from './inspection/inspection';
export { importCheckpoint, importGroup } from './model-source/import-checkpoint';
export type { ImportedCheckpoint } from './model-source/import-checkpoint';
export { exportGroup, exportModel } from './model-source/export-model';
export type { ExportedModel } from './model-source/export-model';

// A page that runs models in a browser.
export { demoGroup, writeDemo } from './demo/write-demo';
export type { WrittenDemo } from './demo/write-demo';

// Proofs that the ONNX files of a model are that model.
export { proofGroup, proveModel } from './proof/prove-model';
export type { Proof } from './proof/prove-model';
export { ProofFailedError } from './proof/prove-run';
export { certificateSchema } from './proof/certificate';
export type { Certificate } from './proof/certificate';

// Comparisons, and who does their runs.
export { compare, engineOfRuns, engineOfRunsGroup } from './comparison/compare';
export type { ComparisonSetting, ComparisonWatch } from './comparison/compare';
export { comparedOnShape, comparingOn } from './comparison/compared-on';
export type { ComparedOn } from './comparison/compared-on';
export { comparisonFolder, readComparisonRecord } from './comparison/comparison-folder';
export type { ComparisonFolder, ComparisonRecord } from './comparison/comparison-folder';
export { planWith } from './comparison/open-comparison';
export type { OpenedComparison } from './comparison/open-comparison';
export type { ConcludedComparison } from './comparison/conclude';
export { executeIn } from './comparison/execute';
export type { MakeRunOfJob, RunOfJob } from './comparison/execute';
export { writeComparisonEvents } from './comparison/tensorboard';

// Results as pages.
export { writeReport } from './report/write-report';
export type { WrittenReport } from './report/write-report';

// Lottery tickets; their runs are among the kinds of runs.
export { overlapsOfTickets } from './ticket/overlap';
export type { TicketOverlaps } from './ticket/overlap';
export type { TicketSummary } from './ticket/page';
export type { FindSummary, TicketTrainSummary, TransferSummary } from './ticket/summary';

// For whoever looks on.
export type { Pace, Progress } from './progress/progress';
export type { JobCount, JobProgress } from './progress/job-progress';

// Options by name: schemas, and what programs that read them need.
export { chosenIn, givenValues } from './options/given';
export { flagNames, mergeGiven, resolveGroups } from './options/group';
export type { GivenOptions, OptionGroup } from './options/group';
export { valueOf } from './options/fields';
export type { OptionField } from './options/fields';
export { homeExpanded, listed, pathOption } from './options/path';
export { homeExpandedIn } from './options/path-options';
export { compressGroups, methodNamed } from './options/compress-options';
export { taskOfModel } from './model-source/choices';
export type { TaskRange } from './model-source/choices';

// Everything that this build of Winnow offers.
export { methods } from './table';
export { models } from './workload/sizes';
export { version } from './version';
