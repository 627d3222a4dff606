export {
  type AugmentationPolicy,
  type AugmentationPreset,
  augmentationPolicy,
  augmentationPresets,
} from './augmentation/policy';
export {
  type DatasetOptions,
  type EmbeddedDataset,
  embeddedDatasets,
  identifyDataset,
  openDataset,
} from './catalogue/open-dataset';
export { namedDatasets } from './catalogue/named-datasets';
export {
  embeddedDetectionDatasets,
  identifyDetectionDataset,
  namesDetectionData,
  openDetectionDataset,
} from './catalogue/open-detection-dataset';
export type { DetectionData, DetectionDataOptions } from './detected/detection-data';
export type { AnnotatedObject, AnnotatedPicture } from './detected/found-detection';
export {
  type PromptOptions,
  type PromptWriter,
  promptText,
  promptWriter,
  unknownNameNotes,
} from './detected/prompts';
export {
  embeddedGroundingDatasets,
  identifyGroundingDataset,
  namesGroundingData,
  openGroundingDataset,
  openRegionGroundingDataset,
} from './catalogue/open-grounding-dataset';
export {
  embeddedQuestionDatasets,
  identifyAnswerDataset,
  identifyQuestionDataset,
  namesAnswerData,
  namesQuestionData,
  openAnswerDataset,
  openQuestionDataset,
  openRegionQuestionDataset,
} from './catalogue/open-question-dataset';
export {
  embeddedStatementDatasets,
  identifyStatementDataset,
  namesStatementData,
  openRegionStatementDataset,
  openStatementDataset,
} from './catalogue/open-statement-dataset';
export {
  embeddedEntailmentDatasets,
  identifyEntailmentDataset,
  namesEntailmentData,
  openEntailmentDataset,
  openRegionEntailmentDataset,
} from './catalogue/open-entailment-dataset';
export {
  type EntailmentLabel,
  type TokenizedEntailmentData,
  entailmentLabels,
} from './grounded/entailment-data';
export type { TokenizedRegionEntailmentData } from './regions/region-entailment-data';
export type { TokenizedAnswerData } from './grounded/answer-data';
export type { TokenizedStatementData } from './grounded/statement-data';
export {
  embeddedSegmentationDatasets,
  identifySegmentationDataset,
  namesSegmentationData,
  openSegmentationDataset,
} from './catalogue/open-segmentation-dataset';
export type { SegmentationData, SegmentationDataOptions } from './segmented/segmentation-data';
export { type UnmaskedPicture, drawnSegmentation, wholePictures } from './segmented/whole-pictures';
export type { ReadRegions, RegionReader } from './regions/region-reader';
export { type RegionChoice, type RegionRule, boxesBy, regionRules } from './regions/region-rule';
export type { HiddenOptions, TokenizedHiddenData } from './regions/hidden-data';
export type { RegionOptions } from './regions/shown-regions';
export type { TokenizedRegionGroundingData } from './regions/region-grounding-data';
export type { TokenizedRegionPairData } from './regions/region-pair-data';
export type { TokenizedRegionQuestionData } from './regions/region-question-data';
export type { TokenizedRegionStatementData } from './regions/region-statement-data';
export type { TokenizedQuestionData } from './grounded/question-data';
export type { TokenizedToldData, ToldPictureOptions } from './grounded/told-data';
export { type DrawnBox, drawnBoxes } from './grounded/drawn-boxes';
export { toldGeometry } from './grounded/told-data';
export type { GroundedExample, GroundedObject } from './grounded/grounded-example';
export type { GroundingDataOptions, TokenizedGroundingData } from './grounded/grounding-data';
export {
  embeddedImageTextDatasets,
  identifyImageTextDataset,
  namesHiddenData,
  namesImageTextData,
  openHiddenDataset,
  openRegionPairDataset,
  openImageTextDataset,
} from './catalogue/open-image-text-dataset';
export { type EmojiTask, emoji } from './emoji/emoji';
export { type EmojiRecord, type EmojiVendor, emojiRecords, emojiVendors } from './emoji/records';
export { type EmojiSplit, splitEmoji } from './emoji/split';
export { DataError, type DataProblem } from './failure/data-error';
export { visibly } from './failure/visible';
export { type ImageFolderOptions, imageFolder } from './folder/image-folder';
export { contentHashes, type KnownContents } from './identity/content-hashes';
export type { DataIdentity } from './identity/data-identity';
export type { FoundImageClassificationData } from './labelled/classification';
export { inClassOrder } from './labelled/class-order';
export { type MixingOptions, mixedBatches } from './labelled/mixing';
export type { ImageTextOptions, TokenizedImageTextData } from './pairs/image-text-data';
export type { ImageOptions } from './picture/image-options';
export type { PictureCache } from './picture/pack';
export { type Normalisation, imageNetNormalisation } from './picture/normalisation';
export { decoderVersions } from './picture/read';
export { balanced, type PooledQuestion, priorAccuracy, textOnlyAccuracy } from './scenes/balance';
export type { Caption, CaptionMeaning } from './scenes/captions';
export { sceneColours, sceneConcepts, sceneGroups, sceneSizes } from './scenes/concepts';
export { deranged, type SceneControl, sceneControls } from './scenes/controls';
export type { Expression, GroundedSpan } from './scenes/expressions';
export { classMask, type PaintedScene, painted } from './scenes/paint';
export {
  type ScenePool,
  captionsIn,
  entailmentIn,
  expressionsIn,
  pluralsIn,
  questionsIn,
  scenePool,
  sentencesIn,
  statementsIn,
} from './scenes/pool';
export type { Sentence } from './scenes/sentences';
export { type Question, type QuestionType, answersOf, questionTypes } from './scenes/questions';
export type { Box, Layout, Scene, SceneGraph, SceneObject } from './scenes/scene';
export {
  type SceneOptions,
  type SceneSource,
  type SceneSplit,
  sceneSource,
  sceneSplits,
} from './scenes/splits';
export { sceneTuples } from './scenes/tuples';
export type { EntailmentTriple } from './scenes/entailment';
export type { StatementPair } from './scenes/statements';
export { isDataAt } from './shard/shard-files';
export { thumbnail } from './picture/thumbnail';
export { clipTokenizer } from './tokenizer/clip-tokenizer';
export { type TextCoverage, textCoverage } from './tokenizer/coverage';
export { type EncodedTexts, encodeAll } from './tokenizer/encode-all';
export { type CharacterSpan, spanTokens } from './tokenizer/span-tokens';
export { openTokenizer } from './tokenizer/open-tokenizer';
export { siglipTokenizer } from './tokenizer/siglip-tokenizer';
export type { Tokenizer } from './tokenizer/tokenizer';
export { speakerOf } from './tokenizer/say';
export { tokenizerFrom } from './tokenizer/tokenizer-from';
export { wordTokenizer } from './tokenizer/word-tokenizer';
export { type BrokenPicture, type FoundPictures, findPictures } from './unlabelled/find-pictures';
export {
  type PictureBatch,
  type UnlabelledPictures,
  unlabelledPictures,
} from './unlabelled/unlabelled-pictures';
