import { type Boxes, areaOf, coveredShare, iou } from './box';
import { type Matched, matchedImage } from './coco-match';
import { byScore } from './suppression';

/** True boxes of a set of pictures, one entry each. */
export interface TrueBoxes {
  readonly image: ArrayLike<number>;
  readonly category: ArrayLike<number>;
  /** [N, 4]. */
  readonly boxes: Boxes;
  /** In pixels², of the object rather than of its box. */
  readonly area: ArrayLike<number>;
  /** 1 where it stands for a crowd, which may be found any number of times. */
  readonly crowd: ArrayLike<number>;
}

/** Detections, one entry each. */
export interface Detections {
  readonly image: ArrayLike<number>;
  readonly category: ArrayLike<number>;
  /** [N, 4]. */
  readonly boxes: Boxes;
  readonly score: ArrayLike<number>;
}

/** COCO's twelve numbers: shares, −1 where there is nothing to find. */
export interface CocoScores {
  readonly ap: number;
  readonly ap50: number;
  readonly ap75: number;
  readonly apSmall: number;
  readonly apMedium: number;
  readonly apLarge: number;
  readonly ar1: number;
  readonly ar10: number;
  readonly ar100: number;
  readonly arSmall: number;
  readonly arMedium: number;
  readonly arLarge: number;
}

const THRESHOLDS = Array.from({ length: 10 }, (_, index) => 0.5 + 0.05 * index);
/** As NumPy's `linspace` gives them: 0.35 is a little more than 7 / 20, and which of them a recall reaches depends on it. */
const RECALLS = Array.from({ length: 101 }, (_, index) => index * 0.01);
const AREAS = {
  all: [0, 1e10],
  small: [0, 32 ** 2],
  medium: [32 ** 2, 96 ** 2],
  large: [96 ** 2, 1e10],
} as const;
const MOST_DETECTIONS = 100;

/** Entries by picture and category, the pictures in the order of their numbers. */
function grouped({
  image,
  category,
}: Pick<Detections, 'image' | 'category'>): Map<number, Map<number, number[]>> {
  const groups = new Map<number, Map<number, number[]>>();
  for (let entry = 0; entry < image.length; entry++) {
    const ofCategory = groups.get(category[entry] ?? 0) ?? new Map<number, number[]>();
    groups.set(category[entry] ?? 0, ofCategory);
    const own = ofCategory.get(image[entry] ?? 0);
    if (own === undefined) ofCategory.set(image[entry] ?? 0, [entry]);
    else own.push(entry);
  }
  return groups;
}

/** The detections of a class in all pictures, by falling score, and how many there are to find. */
interface Ordered {
  readonly outcomes: readonly Matched['detections'][number]['outcomes'][];
  readonly truths: number;
}

/** @param most Detections of a picture that count. */
function ordered(images: readonly Matched[], most: number): Ordered {
  const found = images.flatMap(({ detections }) => detections.slice(0, most));
  return {
    outcomes: byScore(found.map(({ score }) => score)).flatMap((place) => {
      const outcomes = found[place]?.outcomes;
      return outcomes === undefined ? [] : [outcomes];
    }),
    truths: images.reduce((sum, { counted }) => sum + counted, 0),
  };
}

/** The precision at each of 101 recalls, and the greatest recall; nothing where there is no truth. */
function curve(
  { outcomes, truths }: Ordered,
  threshold: number,
): { readonly precision: Float64Array; readonly recall: number } | undefined {
  if (truths === 0) return undefined;
  const found = outcomes.map((own) => own[threshold]).filter((outcome) => outcome !== 'ignored');
  const [precisions, recalls]: [number[], number[]] = [[], []];
  let right = 0;
  found.forEach((outcome, index) => {
    if (outcome === 'right') right++;
    recalls.push(right / truths);
    precisions.push(right / (index + 1));
  });
  for (let at = precisions.length - 1; at > 0; at--) {
    precisions[at - 1] = Math.max(precisions[at - 1] ?? 0, precisions[at] ?? 0);
  }
  let place = 0;
  const precision = Float64Array.from(RECALLS, (recall) => {
    while (place < recalls.length && (recalls[place] ?? 0) < recall) place++;
    return precisions[place] ?? 0;
  });
  return { precision, recall: recalls.at(-1) ?? 0 };
}

const mean = (values: readonly number[]): number =>
  values.length === 0 ? -1 : values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * COCO's average precision and recall, as pycocotools computes them (`COCOeval`, bbox): IoU .50:.05:.95, 101 recalls, 1, 10 and 100
 * detections of a picture and class, areas of the truth in its own pixels; mean over classes that have truth.
 */
export function cocoScores(truths: TrueBoxes, detections: Detections): CocoScores {
  const [truthsOf, detectionsOf] = [grouped(truths), grouped(detections)];
  const categories = [...new Set([...truthsOf.keys(), ...detectionsOf.keys()])].sort((a, b) => a - b);
  const images = [...new Set([...Array.from(truths.image), ...Array.from(detections.image)])].sort(
    (a, b) => a - b,
  );

  const curvesOf = (area: keyof typeof AREAS) =>
    categories.map((category) => {
      const [own, found] = [truthsOf.get(category), detectionsOf.get(category)];
      const matched = images.flatMap((image) => {
        const [trueEntries = [], foundEntries = []] = [own?.get(image), found?.get(image)];
        return trueEntries.length + foundEntries.length === 0
          ? []
          : [
              matchedImage(
                {
                  truths: trueEntries.map((entry) => ({
                    crowd: truths.crowd[entry] === 1,
                    area: truths.area[entry] ?? 0,
                    entry,
                  })),
                  detections: foundEntries.map((entry) => ({
                    score: detections.score[entry] ?? 0,
                    area: areaOf(detections.boxes, entry),
                    entry,
                  })),
                  overlap: (detection, truth) =>
                    (truths.crowd[truth] === 1 ? coveredShare : iou)(
                      detections.boxes,
                      detection,
                      truths.boxes,
                      truth,
                    ),
                },
                { area: AREAS[area], thresholds: THRESHOLDS, most: MOST_DETECTIONS },
              ),
            ];
      });
      // One order for all thresholds: a hundred thousand detections are not sorted ten times.
      const orders = new Map<number, Ordered>();
      return (threshold: number, most: number) => {
        const order = orders.get(most) ?? ordered(matched, most);
        orders.set(most, order);
        return curve(order, threshold);
      };
    });
  const all = {
    all: curvesOf('all'),
    small: curvesOf('small'),
    medium: curvesOf('medium'),
    large: curvesOf('large'),
  };
  const over = (
    area: keyof typeof AREAS,
    most: number,
    value: (own: NonNullable<ReturnType<typeof curve>>) => number,
    thresholds: readonly number[] = THRESHOLDS.map((_, index) => index),
  ): number =>
    mean(
      all[area].flatMap((curveAt) =>
        thresholds.flatMap((threshold) => {
          const own = curveAt(threshold, most);
          return own === undefined ? [] : [value(own)];
        }),
      ),
    );
  const precision = (area: keyof typeof AREAS, thresholds?: readonly number[]) =>
    over(area, MOST_DETECTIONS, ({ precision: own }) => mean([...own]), thresholds);
  const recall = (area: keyof typeof AREAS, most: number) => over(area, most, (own) => own.recall);
  return {
    ap: precision('all'),
    ap50: precision('all', [0]),
    ap75: precision('all', [5]),
    apSmall: precision('small'),
    apMedium: precision('medium'),
    apLarge: precision('large'),
    ar1: recall('all', 1),
    ar10: recall('all', 10),
    ar100: recall('all', MOST_DETECTIONS),
    arSmall: recall('small', MOST_DETECTIONS),
    arMedium: recall('medium', MOST_DETECTIONS),
    arLarge: recall('large', MOST_DETECTIONS),
  };
}
