import { type DetectedObjects, type HostTensor, counted, cornersOf, groundedBoxes, iou } from '@winnow/core';
import { z } from 'zod';
import { type ShownExamples, type ToldExamples, picturesIn, textIn } from './said';
import type { Said, ShownBox } from './workload';

/** An object is found by a box that overlaps it by so much. */
const FOUND = 0.5;
/** Boxes of an MDETR that are surer than this are shown beside the surest, by predictions as by reports. */
export const LEAST_CERTAINTY = 0.5;
/** Boxes of a detector that are surer than this are shown; a file of COCO has all of them. */
export const LEAST_SCORE = 0.4;

const numbers = z.instanceof(Float32Array);
const hostNumbers = z.custom<HostTensor>(
  (value) => z.looseObject({ dtype: z.literal('float32'), values: numbers }).safeParse(value).success,
);
const grounded = z.object({ logits: hostNumbers, boxes: hostNumbers });
const groundedBatch = z.object({ objects: z.object({ boxes: numbers }) });

const detected = z.array(z.custom<DetectedObjects>((value) => typeof value === 'object' && value !== null));
const detectedBatch = z.object({
  truths: z.object({
    sizes: z.array(z.object({ height: z.number(), width: z.number() })),
    classes: z.instanceof(Int32Array),
    boxes: z.instanceof(Float64Array),
    crowds: z.instanceof(Uint8Array),
  }),
});

/** A box that stands for a class, or for whatever was asked for. */
interface ClassedBox extends ShownBox {
  readonly index: number;
}

/** The object that a text means, or those that its phrases mean, beside as many boxes as there are: the surest of the model. */
export const groundingSaid =
  (data: ToldExamples) =>
  async (answer: unknown, batch: unknown): Promise<Said> => {
    const right = boxesIn(cornersOf(groundedBatch.parse(batch).objects.boxes)).map((box) => plain(box));
    const [own = []] = groundedBoxes(grounded.parse(answer), 1);
    const found = own
      .slice(0, Math.max(1, right.length))
      .filter(({ certainty }, place) => place === 0 || certainty >= LEAST_CERTAINTY)
      .map(({ box, certainty }) => ({ ...plain(box), label: percent(certainty) }));
    return {
      pictures: await picturesIn(batch, data),
      asked: textIn(batch, data),
      ...comparedBoxes(right, found),
    };
  };

/** All objects of a picture, beside those that the model is sure of. */
export const detectionSaid =
  (data: ShownExamples, classes: readonly string[]) =>
  async (answer: unknown, batch: unknown): Promise<Said> => {
    const { truths } = detectedBatch.parse(batch);
    const [own] = detected.parse(answer);
    const { height = 1, width = 1 } = truths.sizes[0] ?? {};
    const ofClass = (boxes: Float64Array, indices: Int32Array, labelOf: (place: number) => string) =>
      boxesIn(boxes).map((box, place): ClassedBox => {
        const [left, top, far, bottom] = box;
        const index = indices[place] ?? 0;
        return {
          box: [left / width, top / height, far / width, bottom / height],
          index,
          label: labelOf(place),
        };
      });
    const nameOf = (index: number): string => classes[index] ?? '';
    const right = ofClass(truths.boxes, truths.classes, (place) => nameOf(truths.classes[place] ?? 0));
    const found =
      own === undefined ? [] : ofClass(own.boxes, own.classes, (place) => nameOf(own.classes[place] ?? 0));
    return {
      pictures: await picturesIn(batch, data),
      asked: '',
      ...comparedBoxes(
        right.filter((_, place) => truths.crowds[place] !== 1),
        found.filter((_, place) => (own?.scores[place] ?? 0) >= LEAST_SCORE),
      ),
    };
  };

/** Puts into words how many objects were found, each by a box of its own. */
function comparedBoxes(
  right: readonly ClassedBox[],
  found: readonly ClassedBox[],
): Pick<Said, 'right' | 'said' | 'boxes'> {
  const left = new Set(found.keys());
  const hits = right.filter((wanted) => {
    const hit = [...left].find((place) => {
      const own = found[place];
      return own !== undefined && own.index === wanted.index && iou(own.box, 0, wanted.box, 0) >= FOUND;
    });
    if (hit !== undefined) left.delete(hit);
    return hit !== undefined;
  }).length;
  const others = left.size === 0 ? '' : `, ${counted(left.size, 'box', 'boxes')} elsewhere`;
  return {
    right: counted(right.length, 'box', 'boxes'),
    said: `${hits} of ${right.length} found${others}`,
    boxes: { right: right.map(shown), found: found.map(shown) },
  };
}

const shown = ({ box, label }: ClassedBox): ShownBox => ({ box, label });
const plain = (box: ShownBox['box']): ClassedBox => ({ box, label: '', index: 0 });
const percent = (share: number): string => `${Math.round(100 * share)} %`;

/** Boxes by their corners, [N, 4]. */
function boxesIn(corners: Float64Array): ShownBox['box'][] {
  return Array.from({ length: corners.length / 4 }, (_, box) => {
    const [left = 0, top = 0, right = 0, bottom = 0] = corners.subarray(4 * box, 4 * box + 4);
    return [left, top, right, bottom];
  });
}
