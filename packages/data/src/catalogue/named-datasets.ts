import { embeddedDatasets, type EmbeddedDataset } from './open-dataset';
import { embeddedDetectionDatasets } from './open-detection-dataset';
import { embeddedEntailmentDatasets } from './open-entailment-dataset';
import { embeddedGroundingDatasets } from './open-grounding-dataset';
import { embeddedQuestionDatasets } from './open-question-dataset';
import { embeddedStatementDatasets } from './open-statement-dataset';
import { embeddedImageTextDatasets } from './open-image-text-dataset';
import { embeddedSegmentationDatasets } from './open-segmentation-dataset';

/** The datasets that need nothing but a name, whatever task they are for. */
export const namedDatasets: readonly EmbeddedDataset[] = [
  ...embeddedDatasets,
  ...embeddedImageTextDatasets,
  ...embeddedGroundingDatasets,
  ...embeddedQuestionDatasets,
  ...embeddedStatementDatasets,
  ...embeddedEntailmentDatasets,
  ...embeddedSegmentationDatasets,
  ...embeddedDetectionDatasets,
];
