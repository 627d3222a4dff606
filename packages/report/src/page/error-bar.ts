const CAP_PX = 4;

interface DrawingTools {
  value(dimension: number): number;
  coord(point: [number, number]): [number, number];
}

/** Draws a bar from the second to the third number of a point, at the first. */
export function errorBar(stroke: string) {
  return (_parameters: unknown, { value, coord }: DrawingTools) => {
    const [x, low] = coord([value(0), value(1)]);
    const [, high] = coord([value(0), value(2)]);
    const segment = (x1: number, y1: number, x2: number, y2: number) => ({
      type: 'line',
      shape: { x1, y1, x2, y2 },
      style: { stroke, lineWidth: 1.5, fill: 'none' },
    });
    return {
      type: 'group',
      children: [
        segment(x, low, x, high),
        segment(x - CAP_PX, low, x + CAP_PX, low),
        segment(x - CAP_PX, high, x + CAP_PX, high),
      ],
    };
  };
}
