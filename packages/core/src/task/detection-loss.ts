import {
  type Scalar,
  type Tensor2D,
  add,
  concat,
  div,
  exp,
  minimum,
  mul,
  reshape,
  slice,
  sub,
  sum,
  tensor1d,
  tensor2d,
  tensor3d,
} from '@tensorflow/tfjs-core';
import {
  BOX_LARGEST_LOG,
  BOX_LOG_WEIGHT,
  BOX_OFFSET_WEIGHT,
  NO_OBJECT,
  adaptiveSamples,
  centerness,
} from '../boxes/anchors';
import { BOX, centredOf, cornersOf } from '../boxes/box';
import type { RegionAnchors } from '../boxes/region-anchors';
import type { GroundingBatch } from '../data/dataset';
import type { Regions } from '../families/glip';
import { sigmoidCrossEntropy } from '../operations/cross-entropy';
import { sigmoidFocalLoss } from '../operations/focal-loss';
import { gatherRows } from '../operations/gather-rows';
import { generalisedOverlaps } from './grounding-loss';
import { nothingOf } from './nothing';

/** Weights of the losses in their sum, as published. */
export const detectionWeights = { alignment: 1, box: 2, centerness: 1 } as const;
/** Anchors of each grid that are looked at for an object. */
const PER_LEVEL = 9;

/** Where regions are, and how large the pictures are that they are of. */
export interface RegionPlaces {
  readonly anchors: RegionAnchors;
  /** In pixels. */
  readonly height: number;
  readonly width: number;
}

/** Regions of a batch that have an object, with what they are to say of it. */
interface Positives {
  /** Rows among all B·N regions, [P]. */
  readonly rows: Int32Array;
  /** The object of each, [P]. */
  readonly objects: Int32Array;
  /** Centre x and y, width and height of the objects in pixels, [P, 4]. */
  readonly boxes: Float32Array;
  /** The same of the anchors, [P, 4]. */
  readonly anchors: Float32Array;
  /** [P] */
  readonly centerness: Float32Array;
}

/** Corners of boxes of [centre, size] in shares of a picture, in pixels: [N, 4]. */
const inPixels = (boxes: Float32Array, { height, width }: RegionPlaces): Float64Array =>
  cornersOf(boxes).map((share, index) => share * (index % 2 === 0 ? width : height));

/** Gives regions their objects, picture by picture, by `adaptiveSamples`. */
export function positiveRegions(
  objects: GroundingBatch['objects'],
  examples: number,
  places: RegionPlaces,
): Positives {
  const { boxes: anchors, levels } = places.anchors;
  const regions = anchors.length / BOX;
  const corners = inPixels(objects.boxes, places);
  const [found, rows]: [number[], number[]] = [[], []];
  for (let example = 0; example < examples; example++) {
    const own = [...objects.examples.keys()].filter((object) => objects.examples[object] === example);
    if (own.length === 0) continue;
    const boxes = own.flatMap((object) => [...corners.subarray(object * BOX, (object + 1) * BOX)]);
    adaptiveSamples(anchors, levels, boxes, { perLevel: PER_LEVEL }).forEach((place, region) => {
      const object = own[place];
      if (place === NO_OBJECT || object === undefined) return;
      rows.push(example * regions + region);
      found.push(object);
    });
  }
  const pick = (all: Float64Array, indices: readonly number[]): Float32Array =>
    Float32Array.from(indices.flatMap((index) => [...all.subarray(index * BOX, (index + 1) * BOX)]));
  const anchored = pick(
    centredOf(anchors),
    rows.map((row) => row % regions),
  );
  return {
    rows: Int32Array.from(rows),
    objects: Int32Array.from(found),
    boxes: pick(centredOf(corners), found),
    anchors: anchored,
    centerness: Float32Array.from(found, (object, place) => {
      const [left = 0, top = 0, right = 0, bottom = 0] = corners.subarray(object * BOX, (object + 1) * BOX);
      const [x = 0, y = 0] = anchored.subarray(place * BOX, (place + 1) * BOX);
      return centerness(x - left, y - top, right - x, bottom - y);
    }),
  };
}

/**
 * The loss of GLIP (Li et al., 2022, Section 3.1): focal alignment of regions and words, GIoU of boxes by their centerness, and
 * centerness. Which region an object belongs to is told on the host from anchors alone. Sums over a batch go by max(1, regions that
 * have an object).
 */
export function detectionLoss(
  { logits, codes, centerness: nearness, read }: Regions,
  objects: GroundingBatch['objects'],
  places: RegionPlaces,
): Scalar {
  const [examples, length] = read.shape;
  const positives = positiveRegions(objects, examples, places);
  const count = positives.rows.length;
  const regions = logits.shape[0] / examples;
  const targets = new Float32Array(logits.size);
  positives.rows.forEach((row, place) => {
    for (const token of objects.tokens[positives.objects[place] ?? 0] ?? [])
      targets[row * length + token] = 1;
  });
  const alignment = sigmoidFocalLoss(
    reshape(logits, [examples, regions, length]),
    tensor3d(targets, [examples, regions, length]),
    reshape(read, [examples, 1, length]),
  );
  const aligned = mul<Scalar>(div(alignment, Math.max(1, count)), detectionWeights.alignment);
  if (count === 0) return add(aligned, nothingOf([logits, codes, nearness]));
  const rows = tensor1d(positives.rows, 'int32');
  const overlaps = generalisedOverlaps(
    decodedBoxes(gatherRows(codes, rows), tensor2d(positives.anchors, [count, BOX])),
    tensor2d(positives.boxes, [count, BOX]),
  ); // [P, 1]
  const wanted: Tensor2D = tensor2d(positives.centerness, [count, 1]);
  const weight = positives.centerness.reduce((total, own) => total + own, 0);
  const box = div<Scalar>(sum(mul(sub(1, overlaps), wanted)), Math.max(weight, Number.EPSILON));
  const near = sigmoidCrossEntropy(gatherRows(nearness, rows), wanted);
  return add(
    aligned,
    add(mul<Scalar>(box, detectionWeights.box), mul<Scalar>(near, detectionWeights.centerness)),
  );
}

/** `boxFromCode` with a gradient, of boxes of [centre, size]: codes and anchors [P, 4] → [P, 4]. */
export function decodedBoxes(codes: Tensor2D, anchors: Tensor2D): Tensor2D {
  const [count] = codes.shape;
  const part = (x: Tensor2D, from: number): Tensor2D => slice(x, [0, from], [count, 2]);
  const sides = part(anchors, 2);
  const centres: Tensor2D = add(part(anchors, 0), mul(mul(part(codes, 0), 1 / BOX_OFFSET_WEIGHT), sides));
  const sizes: Tensor2D = mul(exp(minimum(mul(part(codes, 2), 1 / BOX_LOG_WEIGHT), BOX_LARGEST_LOG)), sides);
  return concat([centres, sizes], 1);
}
