/** N boxes, [N, 4] in row-major order: left, top, right and bottom, in any one unit. */
export type Boxes = Float64Array | Float32Array | readonly number[];

/** Numbers that a box has. */
export const BOX = 4;

/** Boxes of [centre x, centre y, width, height] as [left, top, right, bottom], [N, 4]. */
export function cornersOf(centred: Boxes): Float64Array {
  const corners = new Float64Array(centred.length);
  for (let at = 0; at < centred.length; at += BOX) {
    const [x = 0, y = 0, width = 0, height = 0] = centred.slice(at, at + BOX);
    corners.set([x - width / 2, y - height / 2, x + width / 2, y + height / 2], at);
  }
  return corners;
}

/** Boxes of [left, top, right, bottom] as [centre x, centre y, width, height], [N, 4]. */
export function centredOf(corners: Boxes): Float64Array {
  const centred = new Float64Array(corners.length);
  for (let at = 0; at < corners.length; at += BOX) {
    const [left = 0, top = 0, right = 0, bottom = 0] = corners.slice(at, at + BOX);
    centred.set([(left + right) / 2, (top + bottom) / 2, right - left, bottom - top], at);
  }
  return centred;
}

/** The area of box `i`; 0 where it is turned inside out. */
export function areaOf(boxes: Boxes, i: number): number {
  const at = i * BOX;
  const width = (boxes[at + 2] ?? 0) - (boxes[at] ?? 0);
  const height = (boxes[at + 3] ?? 0) - (boxes[at + 1] ?? 0);
  return Math.max(0, width) * Math.max(0, height);
}

interface Overlap {
  readonly intersection: number;
  readonly union: number;
  /** Area of the smallest box around both. */
  readonly hull: number;
}

function overlapOf(a: Boxes, i: number, b: Boxes, j: number): Overlap {
  const [p, q] = [i * BOX, j * BOX];
  const [left, top, right, bottom] = [a[p] ?? 0, a[p + 1] ?? 0, a[p + 2] ?? 0, a[p + 3] ?? 0];
  const [left2, top2, right2, bottom2] = [b[q] ?? 0, b[q + 1] ?? 0, b[q + 2] ?? 0, b[q + 3] ?? 0];
  const width = Math.max(0, Math.min(right, right2) - Math.max(left, left2));
  const height = Math.max(0, Math.min(bottom, bottom2) - Math.max(top, top2));
  const intersection = width * height;
  return {
    intersection,
    union: areaOf(a, i) + areaOf(b, j) - intersection,
    hull:
      (Math.max(right, right2) - Math.min(left, left2)) * (Math.max(bottom, bottom2) - Math.min(top, top2)),
  };
}

const iouFrom = ({ intersection, union }: Overlap): number => (union > 0 ? intersection / union : 0);

/** Intersection over union of box `i` of `a` and box `j` of `b`: 0 to 1, and 0 of two boxes without area. */
export const iou = (a: Boxes, i: number, b: Boxes, j: number): number => iouFrom(overlapOf(a, i, b, j));

/**
 * Generalised intersection over union (Rezatofighi et al., 2019): the share of the smallest box around both that neither
 * covers is taken off. −1 to 1, and never above `iou`.
 */
export function giou(a: Boxes, i: number, b: Boxes, j: number): number {
  const overlap = overlapOf(a, i, b, j);
  const { union, hull } = overlap;
  return hull > 0 ? iouFrom(overlap) - (hull - union) / hull : iouFrom(overlap);
}

/** The intersection's share of box `i` of `a`, which is how COCO compares a detection with a crowd. */
export function coveredShare(a: Boxes, i: number, b: Boxes, j: number): number {
  const area = areaOf(a, i);
  return area > 0 ? overlapOf(a, i, b, j).intersection / area : 0;
}

/** `measure` of each of N boxes with each of M, [N, M]. */
export function betweenAll(a: Boxes, b: Boxes, measure: typeof iou): Float64Array {
  const [rows, columns] = [a.length / BOX, b.length / BOX];
  const values = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) values[i * columns + j] = measure(a, i, b, j);
  }
  return values;
}

/** The smallest box around all of them, [1, 4]; nothing of nothing. */
export function hullOf(boxes: Boxes): Float64Array {
  if (boxes.length === 0) return new Float64Array();
  const hull = Float64Array.of(Infinity, Infinity, -Infinity, -Infinity);
  for (let at = 0; at < boxes.length; at += BOX) {
    for (const side of [0, 1]) {
      hull[side] = Math.min(hull[side] ?? 0, boxes[at + side] ?? 0);
      hull[side + 2] = Math.max(hull[side + 2] ?? 0, boxes[at + side + 2] ?? 0);
    }
  }
  return hull;
}
