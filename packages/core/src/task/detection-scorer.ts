import { cocoScores } from '../boxes/average-precision';
import type { DetectionBatch } from '../data/dataset';
import type { DetectedObjects } from './detected-objects';
import type { Scorer, Scores } from './task';

/**
 * COCO's twelve numbers in percent, by their names in `CocoScores`; −1 where there is nothing to find, as pycocotools has it.
 */
export function detectionScorer(): Scorer<readonly DetectedObjects[], DetectionBatch> {
  const numbers = (): number[] => [];
  const truths = {
    image: numbers(),
    category: numbers(),
    boxes: numbers(),
    area: numbers(),
    crowd: numbers(),
  };
  const detections = { image: numbers(), category: numbers(), boxes: numbers(), score: numbers() };
  let pictures = 0;
  return {
    add: (answer, { size, truths: own }) => {
      own.examples.forEach((example) => truths.image.push(pictures + example));
      truths.category.push(...own.classes);
      truths.boxes.push(...own.boxes);
      truths.area.push(...own.areas);
      truths.crowd.push(...own.crowds);
      answer.forEach(({ boxes, classes, scores }, example) => {
        detections.image.push(...Array.from(classes, () => pictures + example));
        detections.category.push(...classes);
        detections.boxes.push(...boxes);
        detections.score.push(...scores);
      });
      pictures += size;
    },
    scores: (): Scores =>
      Object.fromEntries(
        Object.entries(cocoScores(truths, detections)).map(([name, share]: [string, number]) => [
          name,
          share < 0 ? share : 100 * share,
        ]),
      ),
  };
}
