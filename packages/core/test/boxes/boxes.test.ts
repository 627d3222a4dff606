import fc from 'fast-check';
import {
  NO_OBJECT,
  adaptiveSamples,
  areaOf,
  assignment,
  betweenAll,
  boxCode,
  boxFromCode,
  centerness,
  centredOf,
  cornersOf,
  focalLoss,
  giou,
  hullOf,
  iou,
  nonMaximumSuppression,
} from '../../src/index';

const side = fc.double({ min: 0.5, max: 50, noNaN: true });
const place = fc.double({ min: -50, max: 50, noNaN: true });
const box = fc
  .tuple(place, place, side, side)
  .map(([left, top, width, height]) => [left, top, left + width, top + height]);
const boxes = (least: number, most: number) =>
  fc.array(box, { minLength: least, maxLength: most }).map((all) => all.flat());

test('GIoU of the published vector', () => {
  const three = [0, 0, 100, 100, 0, 0, 50, 50, 200, 200, 300, 300];
  const found = [...betweenAll([...three, 0, 0, 25, 25], three, giou)].map((value) =>
    Number(value.toFixed(4)),
  );
  expect(found).toEqual([1, 0.25, -0.7778, 0.25, 1, -0.8611, -0.7778, -0.8611, 1, 0.0625, 0.25, -0.8819]);
});

test('overlaps are symmetric, GIoU is never above IoU, and both are 1 of a box with itself', () => {
  fc.assert(
    fc.property(box, box, (a, b) => {
      const [own, generalised] = [iou(a, 0, b, 0), giou(a, 0, b, 0)];
      expect(iou(b, 0, a, 0)).toBeCloseTo(own, 12);
      expect(giou(b, 0, a, 0)).toBeCloseTo(generalised, 12);
      expect(own).toBeGreaterThanOrEqual(0);
      expect(own).toBeLessThanOrEqual(1);
      expect(generalised).toBeLessThanOrEqual(own + 1e-12);
      expect(generalised).toBeGreaterThan(-1);
      expect(giou(a, 0, a, 0)).toBeCloseTo(1, 12);
    }),
  );
});

test('corners and centres say the same, and a hull holds all boxes', () => {
  fc.assert(
    fc.property(boxes(1, 5), (all) => {
      cornersOf(centredOf(all)).forEach((value, index) => {
        expect(value).toBeCloseTo(all[index] ?? Number.NaN, 9);
      });
      const hull = hullOf(all);
      for (let i = 0; i < all.length / 4; i++) {
        const [left = 0, top = 0, right = 0, bottom = 0] = all.slice(4 * i, 4 * i + 4);
        const both = hullOf([...hull, left, top, right, bottom]);
        expect([...both]).toEqual([...hull]);
        expect(areaOf(all, i)).toBeLessThanOrEqual(areaOf(hull, 0) + 1e-9);
      }
    }),
  );
  expect(hullOf([])).toHaveLength(0);
  expect(iou([0, 0, 0, 0], 0, [0, 0, 0, 0], 0)).toBe(0);
});

/** The least sum over all ways to give each row or column of the fewer one of the others. */
function bruteForce(costs: readonly number[], rows: number, columns: number): number {
  const [few, many] = [Math.min(rows, columns), Math.max(rows, columns)];
  const cost = (one: number, other: number) =>
    (rows <= columns ? costs[one * columns + other] : costs[other * columns + one]) ?? Number.NaN;
  const rest = (one: number, taken: ReadonlySet<number>): number => {
    if (one === few) return 0;
    let least = Infinity;
    for (let other = 0; other < many; other++) {
      if (!taken.has(other))
        least = Math.min(least, cost(one, other) + rest(one + 1, new Set([...taken, other])));
    }
    return least;
  };
  return rest(0, new Set());
}

test('an assignment costs as little as any other, of up to six by six', () => {
  const size = fc.integer({ min: 0, max: 6 });
  const costsOf = (value: fc.Arbitrary<number>) =>
    fc.tuple(size, size).chain(([rows, columns]) =>
      fc.record({
        rows: fc.constant(rows),
        columns: fc.constant(columns),
        costs: fc.array(value, { minLength: rows * columns, maxLength: rows * columns }),
      }),
    );
  const any = fc.oneof(
    costsOf(fc.double({ min: -10, max: 10, noNaN: true })),
    costsOf(fc.integer({ min: 0, max: 3 })), // with many that are equal
  );
  fc.assert(
    fc.property(any, ({ rows, columns, costs }) => {
      const columnOf = assignment(costs, rows, columns);
      const given = [...columnOf].filter((column) => column >= 0);
      expect(new Set(given).size).toBe(Math.min(rows, columns));
      const sum = columnOf.reduce(
        (total, column, row) => total + (column < 0 ? 0 : (costs[row * columns + column] ?? Number.NaN)),
        0,
      );
      expect(sum).toBeCloseTo(bruteForce(costs, rows, columns), 9);
    }),
    { numRuns: 200 },
  );
  expect(() => assignment([Number.NaN], 1, 1)).toThrow('expected finite costs, got NaN');
  expect(() => assignment([1, 2], 1, 1)).toThrow('expected 1 costs, got 2');
});

test('what suppression keeps does not overlap, and what it leaves out overlaps something better', () => {
  const scored = fc.array(fc.tuple(box, fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 1 })), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(scored, (all) => {
      const [flat, scores, classes] = [
        all.flatMap(([own]) => own),
        all.map(([, score]) => score),
        all.map(([, , kind]) => kind),
      ];
      const kept = nonMaximumSuppression(flat, scores, { threshold: 0.3, classes });
      const covers = (a: number, b: number) => classes[a] === classes[b] && iou(flat, a, flat, b) > 0.3;
      for (const index of all.keys()) {
        const better = kept.filter(
          (other) => other !== index && covers(other, index) && (scores[other] ?? 0) >= (scores[index] ?? 0),
        );
        if (kept.includes(index))
          expect(kept.some((other) => other !== index && covers(other, index))).toBe(false);
        else expect(better.length).toBeGreaterThan(0);
      }
      const order = kept.map((index) => scores[index] ?? 0);
      expect(order).toEqual(order.toSorted((a, b) => b - a));
      const few = nonMaximumSuppression(flat, scores, { threshold: 0.3, classes, most: 2 });
      expect(few).toEqual(kept.slice(0, 2));
    }),
  );
});

describe('anchors', () => {
  /** Squares of 8 strides around the middle of each cell. */
  const grid = (cells: number, stride: number): number[] =>
    Array.from({ length: cells * cells }, (_, index) => {
      const [x, y] = [(index % cells) * stride + stride / 2, Math.floor(index / cells) * stride + stride / 2];
      return [x - 4 * stride, y - 4 * stride, x + 4 * stride, y + 4 * stride];
    }).flat();

  test('a level with fewer than k anchors gives all that it has', () => {
    const anchors = grid(2, 16); // four
    const objectOf = adaptiveSamples(anchors, [4], [0, 0, 20, 20], { perLevel: 9 });
    expect(objectOf).toHaveLength(4);
    expect([...objectOf]).toEqual([0, NO_OBJECT, NO_OBJECT, NO_OBJECT]);
    expect([...adaptiveSamples([0, 0, 8, 8], [1], [1, 1, 7, 7], { perLevel: 9 })]).toEqual([0]);
  });

  test('positive anchors have their centres inside, and overlap their object more than any other that claims them', () => {
    const anchors = [...grid(6, 16), ...grid(3, 32)];
    const object = fc
      .tuple(
        fc.double({ min: 0, max: 60, noNaN: true }),
        fc.double({ min: 0, max: 60, noNaN: true }),
        side,
        side,
      )
      .map(([left, top, width, height]) => [left, top, left + width, top + height]);
    fc.assert(
      fc.property(fc.array(object, { minLength: 1, maxLength: 4 }), (all) => {
        const flat = all.flat();
        const objectOf = adaptiveSamples(anchors, [36, 9], flat, { perLevel: 9 });
        objectOf.forEach((of, anchor) => {
          if (of === NO_OBJECT) return;
          const [x = 0, y = 0] = centredOf(anchors.slice(4 * anchor, 4 * anchor + 4));
          const [left = 0, top = 0, right = 0, bottom = 0] = flat.slice(4 * of, 4 * of + 4);
          expect(x > left && x < right && y > top && y < bottom).toBe(true);
          all.forEach((_, other) => {
            const alone = adaptiveSamples(anchors, [36, 9], flat.slice(4 * other, 4 * other + 4), {
              perLevel: 9,
            });
            if (alone[anchor] === 0) {
              expect(iou(anchors, anchor, flat, of)).toBeGreaterThanOrEqual(
                iou(anchors, anchor, flat, other),
              );
            }
          });
        });
        expect(adaptiveSamples(anchors, [36, 9], [], { perLevel: 9 }).every((of) => of === NO_OBJECT)).toBe(
          true,
        );
      }),
      { numRuns: 40 },
    );
  });

  test('all squares around a small object are its own, though their overlaps differ by rounding', () => {
    const anchors = grid(9, 4);
    const place = fc.double({ min: 12, max: 16, noNaN: true });
    const side = fc.double({ min: 5, max: 9, noNaN: true });
    fc.assert(
      fc.property(place, place, side, (x, y, size) => {
        const object = [x, y, x + size, y + size];
        const owners = adaptiveSamples(anchors, [81], object, { perLevel: 9 });
        const centres = centredOf(anchors);
        const inside = (cell: number): boolean => {
          const [cx, cy] = [centres[cell * 4] ?? 0, centres[cell * 4 + 1] ?? 0];
          return Math.min(cx - x, cy - y, x + size - cx, y + size - cy) > 0.01;
        };
        const wanted = [...owners.keys()].filter(inside);
        expect(wanted.length).toBeGreaterThan(0);
        expect([...owners.keys()].filter((cell) => owners[cell] !== NO_OBJECT)).toEqual(wanted);
      }),
      { numRuns: 50 },
    );
  });

  test('a code says which box it is of', () => {
    const square = fc.double({ min: 1, max: 50, noNaN: true }).map((length) => [0, 0, length, length]);
    fc.assert(
      fc.property(box, square, (own, anchor) => {
        boxFromCode(boxCode(own, anchor), anchor).forEach((value, index) => {
          expect(value).toBeCloseTo(own[index] ?? Number.NaN, 6);
        });
      }),
    );
    const [left = 0, , right = 0] = boxFromCode([0, 0, 1e6, 0], [0, 0, 16, 16]);
    expect(right - left).toBeCloseTo(1000, 6);
  });

  test('centerness and focal loss of the published vectors', () => {
    expect(centerness(10, 20, 30, 20)).toBeCloseTo(0.57735, 6);
    const vector = [
      [0, 1, 0.043322],
      [0, 0, 0.129965],
      [2, 1, 0.000451],
      [-2, 1, 0.41252],
    ] as const;
    for (const [logit, target, loss] of vector) expect(focalLoss(logit, target)).toBeCloseTo(loss, 6);
    expect(focalLoss(-800, 1)).toBeCloseTo(200, 6);
    expect(focalLoss(800, 1)).toBe(0);
  });
});
