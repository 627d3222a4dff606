export type { Account, AccountLine } from './account/account';
export { allocate, walkOf } from './allocation/allocate';
export type { Allocation, Choices, Corner } from './allocation/allocate';
export { budgetOfSites, countedCosts, leastShare, timedCosts } from './allocation/costs';
export type { SiteCosts } from './allocation/costs';
export { increments } from './allocation/curve';
export type { ErrorCurve, Point } from './allocation/curve';
export { allocateUnits, keepLast, keepMostImportant } from './allocation/decide';
export type { AllocationOptions, Counts } from './allocation/decide';
export { macsThatFit, macsWithin } from './allocation/latency-budget';
export type { TimedShare } from './allocation/latency-budget';
export { latencyTable, predictedMs, timedShare } from './allocation/latency-table';
export type { LatencyQuestion, LatencyTable } from './allocation/latency-table';
export { siteCurves } from './allocation/site-curve';
export type { SiteCurve } from './allocation/site-curve';
export { errorMeasures, siteLooks } from './allocation/site-sight';
export type { ErrorMeasure } from './allocation/site-sight';
export { decodedBoxes } from './task/detection-loss';
export { NO_OBJECT, adaptiveSamples, boxCode, boxFromCode, centerness, focalLoss } from './boxes/anchors';
export { assignment } from './boxes/assignment';
export type { DetectionPrompt } from './boxes/detection-prompt';
export { type RegionAnchors, regionAnchors } from './boxes/region-anchors';
export { type CocoScores, type Detections, type TrueBoxes, cocoScores } from './boxes/average-precision';
export {
  type Boxes,
  areaOf,
  betweenAll,
  centredOf,
  cornersOf,
  coveredShare,
  giou,
  hullOf,
  iou,
} from './boxes/box';
export {
  type AnsweredQuestions,
  type GroundedPhrase,
  type PhraseRecall,
  type RankedBoxes,
  answerAccuracy,
  phraseRecall,
  precisionAt,
} from './boxes/grounding-scores';
export { byScore, nonMaximumSuppression } from './boxes/suppression';
export { sparseEncoding, storedBytes } from './budget/stored-bytes';
export type { SparseEncoding } from './budget/stored-bytes';
export { compact, compactModel, cutTree } from './compact/compact';
export {
  isSameSize,
  mappedSides,
  pictureSizeOf,
  pictureSizeSchema,
  sidesOf,
  sizeText,
} from './families/picture-sides';
export type { PictureSize, Sides } from './families/picture-sides';
export { evaluationBatches, trainingBatches } from './data/batches';
export type { BatchSource, TrainingBatchesOptions } from './data/batches';
export {
  type Interpolation,
  type PerChannel,
  type PictureGeometry,
  type PicturePreparation,
  type PictureResize,
  interpolations,
  resizedGeometry,
} from './data/preparation';
export type {
  Augmentation,
  Dataset,
  GroundingBatch,
  HiddenBatch,
  ImageBatch,
  ImageClassificationData,
  ImageTextData,
  PairBatch,
  PictureRegions,
  QuestionBatch,
  RegionGroundingBatch,
  RegionPairBatch,
  RegionQuestionBatch,
  RegionStatementBatch,
  StatementBatch,
  EntailmentBatch,
  RegionEntailmentBatch,
  AnswerBatch,
  DetectionBatch,
  SegmentationBatch,
  Splits,
  TruthsOfPictures,
  WholePicture,
} from './data/dataset';
export {
  checkDecision,
  decidedSites,
  decisionFromMasks,
  decisionKeeping,
  identityDecision,
  keptUnits,
  maskOf,
  sharesOf,
} from './decision/decision';
export type { Decision, OtherDecision, SiteDecision } from './decision/decision';
export { blockLists } from './decision/blocks';
export type { BlockList, DecidedBlocks, KeptBlocks } from './decision/blocks';
export { headsKind } from './decision/heads';
export type { KeptHeads } from './decision/heads';
export { keepKind, unitCuts, unitWidth } from './decision/keep';
export type { Keep } from './decision/keep';
export { defineDecisionKind } from './decision/kind';
export type { Cut, DecidedSite, DecidedSites, DecisionKind, DecisionKindDefinition } from './decision/kind';
export { decisionSchema, decisionSchemaOf } from './decision/schema';
export { decisionKinds, kindOf } from './decision/table';
export {
  columnNames,
  columnsOf,
  ownColumns,
  ownerOf,
  presentColumns,
  shareKind,
  shareSchema,
} from './decision/share';
export type { Share } from './decision/share';
export { cutConfig, planOf } from './decision/plan';
export type { CutList, CutPlan, Ties } from './decision/plan';
export { isDuration, stepsIn } from './duration/duration';
export type { Duration } from './duration/duration';
export { effective } from './effective/effective';
export type { Masks } from './effective/effective';
export {
  denseConfigOf,
  described,
  isMasked,
  isOfHead,
  lendRunning,
  runningOf,
  shrunkConfig,
} from './families/model';
export { applied, inTurn, unchanged } from './reparametrisation/reparametrisation';
export type { Reparametrisation } from './reparametrisation/reparametrisation';
export { weightMasks, zeroed } from './mask/apply';
export { prunableMatrices, weightCount } from './budget/matrices';
export type { PrunableMatrix } from './budget/matrices';
export { matrixSparsities } from './budget/matrix-sparsity';
export type { MatrixSparsity } from './budget/matrix-sparsity';
export { checkMasks, entriesOfMask, keptCount, maskFrom, maskSize, maskedCount } from './mask/parameter-mask';
export type { KeptEntries, ParameterMask, ParameterMasks } from './mask/parameter-mask';
export type {
  DenseConfig,
  Described,
  MaskedConfig,
  Model,
  ModelConfig,
  Readout,
  Running,
} from './families/model';
export { defineFamily } from './families/family';
export type { AnyDenseModel, Family, FamilyDefinition, Towers } from './families/family';
export { configSchema, families, familyOf } from './families/table';
export type { Hooks } from './families/hooks';
export { sharedRows } from './families/ties';
export { masked } from './families/masked';
export type { Masked } from './families/masked';
export { visionTransformer, visionTransformerFamily } from './families/vision-transformer';
export type { ImageInputs, VisionTransformer, VisionTransformerParams } from './families/vision-transformer';
export { anyModel, asDense, modelOf, withoutMerging } from './families/any-model';
export type { AnyMaskedModel, AnyModel } from './families/any-model';
export type { Logits, Prediction } from './families/prediction';
export { clipText, clipTextFamily } from './families/clip-text';
export type { ClipText, ClipTextConfig, ClipTextParams, TextInputs } from './families/clip-text';
export {
  type Blip,
  type BlipInputs,
  type BlipPasses,
  type Compared,
  blip,
  blipFamily,
  pairsOf,
} from './families/blip';
export { normalAnswer, vqaScore } from './writing/answers';
export { bleu } from './writing/bleu';
export { ciderD } from './writing/cider';
export { type Judged, wordsOf } from './writing/words';
export { type AboutPictures, type LikelyText, writeAbout } from './task/about-pictures';
export { type AnswerOptions, answers } from './task/answers';
export {
  type CaptionOptions,
  type WritingChoice,
  captions,
  captionWriting,
  writingOptions,
} from './task/captions';
export { type MatchingOptions, type Matched, matching } from './task/matching';
export type { MatchingMemory, MomentumOptions } from './task/matching-memory';
export {
  type JointLoss,
  type JointMatchingOptions,
  JOINT_PICTURES,
  jointMatching,
  regionMatching,
} from './task/joint-matching';
export { type RegionGroundingOptions, regionGrounding } from './task/region-grounding';
export {
  type EntailmentOptions,
  type RegionEntailmentOptions,
  entailment,
  regionEntailment,
} from './task/entailment';
export {
  type RegionStatementOptions,
  type StatementOptions,
  regionStatements,
  statements,
} from './task/statements';
export { type AnswerChoice, likeliestAnswers } from './decoding/likeliest-answers';
export { beginSearch, bestWords, searchStep } from './decoding/beam-search';
export type { BeamOptions, BeamSearch, WrittenText } from './decoding/beam-search';
export { type WritingOptions, writeTexts } from './decoding/write-texts';
export type { BlipParams } from './families/blip-parts';
export { blipPurposes, exampleUsage } from './families/blip-config';
export type { BlipConfig, BlipEmbeddings, BlipPurpose, BlipTokens, BlipUsage } from './families/blip-config';
export type { TextStackParams } from './families/text-stack';
export { textStackConfig, textStackPresets } from './families/text-stack-config';
export type { TextStackConfig, TextStackOptions, TextStackPreset } from './families/text-stack-config';
export type { Memory } from './layers/cross-block';
export { type Groundings, type Mdetr, type MdetrParams, mdetr, mdetrFamily } from './families/mdetr';
export {
  type FusionConfig,
  type FusionPreset,
  type MdetrConfig,
  type QuestionsConfig,
  fusionPresets,
} from './families/mdetr-config';
export { type Vilt, type ViltParams, type ViltStates, vilt, viltFamily } from './families/vilt';
export type { ViltConfig, ViltHead, ViltTextConfig } from './families/vilt-config';
export {
  type Transport,
  type Transported,
  optimalTransport,
  transportCosts,
  transportPlan,
} from './task/optimal-transport';
export { type PreTrainingOptions, preTraining } from './task/pre-training';
export { type Lxmert, type LxmertParams, lxmert, lxmertFamily } from './families/lxmert';
export type { PreTrainingHead, RegionHead } from './families/region-head';
export { type Uniter, type UniterParams, type UniterStates, uniter, uniterFamily } from './families/uniter';
export { type UniterConfig, type UniterOptions, uniterConfig } from './families/uniter-config';
export type { RegionInputs } from './families/region-inputs';
export { type RegionBox, patchShares, regionTower } from './families/region-tower';
export {
  type LxmertConfig,
  type LxmertHead,
  type LxmertOptions,
  type LxmertPreset,
  headOfLxmert,
  lxmertConfig,
  lxmertPresets,
} from './families/lxmert-config';
export { bertLayer, crossModalLayer } from './layers/bert-layer';
export type {
  BertLayer,
  BertLayerParams,
  BertOptions,
  CrossModalLayer,
  CrossModalShape,
} from './layers/bert-layer';
export { type Segmenter, type SegmenterParams, segmenter, segmenterFamily } from './families/segmenter';
export {
  type SegmenterConfig,
  type SegmenterDecoder,
  maskDecoder,
  segmenterEncoder,
} from './families/segmenter-config';
export { type Glip, type GlipParams, type Regions, glip, glipFamily } from './families/glip';
export {
  type DetectionHeadConfig,
  type DetectionHeadPreset,
  type DetectionLevel,
  type DetectionLevels,
  type GlipConfig,
  detectionHeadPresets,
  detectionLevels,
  levelsOf,
} from './families/glip-config';
export { type GroundingOptions, grounding } from './task/grounding';
export { type DetectionOptions, detection } from './task/detection';
export {
  type DetectedObjects,
  LEAST_PROBABILITY as LEAST_DETECTED,
  detectedObjects,
} from './task/detected-objects';
export { type GroundedBox, groundedBoxes } from './task/grounded-boxes';
export {
  type AnsweringOptions,
  type QuestionsOptions,
  type RegionQuestionsOptions,
  questions,
  regionQuestions,
} from './task/questions';
export { type RegionShape, placesOf, regionInputs } from './task/region-inputs';
export { dualEncoder, dualEncoderFamily } from './families/dual-encoder';
export type {
  DualEncoder,
  DualEncoderConfig,
  DualEncoderInputs,
  DualEncoderParams,
  PairLoss,
} from './families/dual-encoder';
export type { TextTowerParams } from './families/text-tower';
export { checkTextEnds, textTowerConfig, textTransformerPresets } from './families/text-tower-config';
export type {
  EndToken,
  TextTowerConfig,
  TextTowerOptions,
  TextTransformerPreset,
} from './families/text-tower-config';
export { mergingTokens } from './families/merge-tokens';
export { atImageSize, resizePictures } from './families/picture-size';
export type { AtImageSize } from './families/picture-size';
export { resampleGrid } from './families/bicubic';
export type { Grid, Resampling } from './families/bicubic';
export type { VisionTowerParams } from './families/vision-tower';
export {
  leadingTokens,
  patchCount,
  patchGrid,
  positionedTokens,
  tokenCount,
  visionTowerConfig,
  visionTransformerPresets,
} from './families/vision-tower-config';
export type {
  Distillation,
  Positioned,
  VisionTowerConfig,
  VisionTowerOptions,
  VisionTransformerPreset,
} from './families/vision-tower-config';
export { visionTransformerConfig } from './families/vision-transformer-config';
export type {
  HeadInput,
  VisionTransformerConfig,
  VisionTransformerOptions,
} from './families/vision-transformer-config';
export { penalizeUnits } from './operations/penalize-units';
export type { PenalizedParameter, UnitPenalty } from './operations/penalize-units';
export { scaleUnits } from './operations/scale-units';
export type { ScaledParameter } from './operations/scale-units';
export { shareUnits } from './operations/share-units';
export type { SharedParameter } from './operations/share-units';
export { activate, gelu, geluTanh, quickGelu } from './operations/activation';
export type { Activation } from './operations/activation';
export { adamwStep } from './operations/adamw-step';
export { attention } from './operations/attention';
export type { AttentionShape } from './operations/attention';
export { engineName } from './operations/kernel';
export { areFinite } from './tree/finite';
export { finiteProbe } from './operations/finite-probe';
export { clipGradients } from './operations/clip-gradients';
export { sigmoidCrossEntropy, softmaxCrossEntropy } from './operations/cross-entropy';
export { gatherRows } from './operations/gather-rows';
export { mergePlan } from './operations/merge-plan';
export type { MergeShape } from './operations/merge-plan';
export { scatterRows } from './operations/scatter-rows';
export { layerNorm } from './operations/layer-norm';
export { columnProducts } from './operations/column-products';
export { linear } from './operations/linear';
export { permutation, randomStream } from './random/random';
export type { RandomStream } from './random/random';
export { compressibleCost, copiesOf, scaleCost, sumCosts } from './sites/site';
export type { ColumnGroup, Cost, Coupling, Site, WholeUnits } from './sites/site';
export { placeInList, sitesOf, unitGrains } from './sites/whole';
export type { Divisible, UnitGrain } from './sites/whole';
export { consumerOf, unitsTap } from './sites/taps';
export {
  columnMoments,
  jointMoments,
  scatterMoments,
  withJointRows,
  withRows,
  withScatter,
} from './statistics/moments';
export type { ColumnMoments, CountedRows, JointMoments, ScatterMoments } from './statistics/moments';
export { type Middle, type ShareInterval, middleOf, wilson } from './statistics/interval';
export { attentionPool } from './layers/attention-pool';
export type { AttentionPool, AttentionPoolParams } from './layers/attention-pool';
export { attentionLayer } from './layers/attention';
export type { Attended, AttentionLayer, AttentionOptions, AttentionParams } from './layers/attention';
export { feedForwardLayer } from './layers/feed-forward';
export type { FeedForwardLayer, FeedForwardOptions, FfnParams } from './layers/feed-forward';
export { bare, modelPlace, placed, stack, together } from './layers/layer';
export type { Description, Layer, Place, Use } from './layers/layer';
export { linearLayer, linearSpecs, optionalBias, project, projection } from './layers/linear';
export type { LinearParams } from './layers/linear';
export { normLayer, normalize } from './layers/norm';
export type { LayerNormParams, NormLayer } from './layers/norm';
export { beforeOf, observeCounting, observeUnder, resultOf } from './layers/observe';
export type { Enter, Observe, ObservedRows } from './layers/observe';
export { residual } from './layers/residual';
export type { Body, ResidualOptions } from './layers/residual';
export { tokensLeft } from './layers/token-merging';
export { aroundUse, pathOfUse, useName, withinUse } from './layers/use';
export type { CountedStates, Merge, MergedTower, TokenMerging } from './layers/token-merging';
export { firstTokens, tower } from './layers/tower';
export type { BlockParams, BlockShape, Passage, Tower, TowerConfig } from './layers/tower';
export { constant as constantSpec, initialize, normal as normalSpec, sizeOf } from './layers/parameter';
export type { Initializer, ParameterSpec } from './layers/parameter';
export {
  buildTree,
  cloneTree,
  disposeTree,
  entriesOf,
  keepTree,
  leavesOf,
  mapTree,
  pickTree,
  withLeaves,
  zipTrees,
} from './tree/tree';
export type { Shaped, TensorTree, Tree } from './tree/tree';
export { downloadTensor, downloadTree, mismatches, uploadEach, uploadTree } from './tree/host';
export type { HostTensor, HostTensors, NamedTensors } from './tree/host';
export { joinPath, lastKey, pathWithin } from './tree/path';
export type { Json, Snapshot, SnapshotStore } from './run/store';
export { budgetUnits, removalTarget, smallestKeep } from './budget/budget';
export type { Budget, BudgetUnit, RemovalTarget } from './budget/budget';
export { countedUnits, granularityOf, leastKeep, requirement } from './budget/requirement';
export type { Granularity, Requirement } from './budget/requirement';
export { standardize, standardizeSites, withinSites, withinStructures } from './budget/ranking';
export type { UnitScores } from './budget/ranking';
export { selectUnits } from './budget/select';
export { widthsOf } from './budget/widths';
export { unitRows, unitSums } from './sites/units';
export { smallestSparseKeep, sparsityTarget, sparsityUnits } from './budget/sparsity';
export type { SparsityTarget } from './budget/sparsity';
export type { Priorities } from './budget/select';
export { InterruptedError, UserError } from './error/user-error';
export { pruneAtOnce, pruneTo } from './method/at-once';
export { defineMethod } from './method/method';
export type {
  Compressed,
  CompressionMethod,
  ConfiguredMethod,
  Manifest,
  MethodDefinition,
  Plan,
} from './method/method';
export { durationOption, parseOptions, suggestion, unitsOption } from './method/options';
export type { OptionsSchema } from './method/options';
export { adamw } from './optimizer/adamw';
export type { AdamWOptions, AdamWState } from './optimizer/adamw';
export { decaysOf, matricesDecay } from './optimizer/decay';
export type { Decays } from './optimizer/decay';
export { layerwiseDecay, uniformRate } from './optimizer/layerwise';
export type { LearningRateScale } from './optimizer/layerwise';
export { clipByGlobalNorm, only } from './optimizer/optimizer';
export type { Optimizer, OptimizerStep } from './optimizer/optimizer';
export { constant, cosine } from './optimizer/schedule';
export type { Schedule, ScheduleOptions } from './optimizer/schedule';
export { sgd } from './optimizer/sgd';
export type { SgdOptions } from './optimizer/sgd';
export { runCompression } from './run/compress';
export type { BestOfRetraining, Retraining, RetrainingPatience } from './run/retrain';
export type { SeenGradients, Sensitivity } from './run/sensitivity';
export type { CompressionResult, CompressionScores } from './run/compress';
export type { CompressionJob } from './run/job';
export type { CompressionRun, Phase } from './run/compression-run';
export { lookingAt } from './run/looking';
export type { LookedAt, Looking } from './run/looking';
export { observedBatches } from './data/observed';
export type { Observation, ObservedSplits, SeenBatch } from './run/observation';
export type { SeenTensor } from './layers/seen';
export { checkReconstruction } from './run/reconstruction';
export type { ReconstructionChoice } from './run/reconstruction';
export { reconstructionKinds } from './reconstruct/kind';
export type { ReconstructionKind } from './reconstruct/kind';
export { reconstruct } from './reconstruct/reconstruct';
export type { Reconstructed, ReconstructionOptions } from './reconstruct/reconstruct';
export { ledgerEntrySchema } from './run/ledger';
export type { LedgerEntry, Milestone } from './run/ledger';
export type { Patience } from './run/best';
export { runPhase } from './run/phase';
export { runAveragedPhase } from './run/averaged';
export type {
  MemoryProbe,
  Milestones,
  Outcome,
  PhaseOptions,
  PhaseResult,
  RunEvent,
  Runner,
} from './run/phase';
export { scoredOnce } from './run/scored';
export { phaseTrainer } from './run/trainer';
export type { PhaseSubject } from './run/trainer';
export { canonicalJson, loadSnapshot, nonFiniteIn, toJson } from './run/store';
export { counted } from './text/counted';
export { type OtherEncoding, otherEncoding } from './text/encoding';
export { visible, visibleName, withoutPasswords } from './text/visible';
export { classification, predictedClasses } from './task/classification';
export { type Exclusion, type Guess, likeliest } from './task/likeliest';
export type { ClassificationOptions, Labelled, PredictedClasses } from './task/classification';
export { pictureInputs, picturesBetween, tokenInputs } from './task/inputs';
export type { PictureShape } from './task/inputs';
export { logitDistillation, logitsOf, symmetricDivergence } from './task/logits';
export { retrieval } from './task/retrieval';
export { type SegmentationOptions, segmentation } from './task/segmentation';
export { type Segmented, multiScale, segmentWhole, singleScale } from './task/segmentation-windows';
export { IGNORED, confusionOf, segmentationScores } from './task/segmentation-scores';
export type { RetrievalOptions } from './task/retrieval';
export { zeroShot } from './task/zero-shot';
export type { ZeroShot } from './task/zero-shot';
export { evaluate, measureLatency, quantileOf, timesInTurn } from './task/evaluate';
export type { Latency } from './task/evaluate';
export type { HostPrediction, Moment, Scorer, Scores, Task, TaskMemory } from './task/task';
export { embeddingPlaces } from './families/perturbation';
export type { EmbeddingPlace, Perturb } from './families/perturbation';
export { forwardPassesPerStep } from './train/adversary';
export type { Adversary } from './train/adversary';
export { weightAverage } from './train/average';
export type { AverageState, WeightAverage } from './train/average';
export { branchDropAt } from './train/stochastic-depth';
export type { StochasticDepth } from './train/stochastic-depth';
export type { Teacher } from './train/teacher';
export { train } from './train/train';
export type { Learning, Objective } from './train/gradients';
export type { AfterStep, Training, TrainingHooks, TrainingPoint } from './train/train';
export { alignTrees, lendTree, tidyTree } from './tree/tree';
export { differentiable, runFused } from './operations/kernel';
