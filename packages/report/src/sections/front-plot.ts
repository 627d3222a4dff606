import { type Html, html } from '../html';
import { type Fitted, fitted } from '../page/axis';

/** Something that a plot shows at a place, with what it may be off by. */
export interface PlottedPoint {
  readonly x: number;
  readonly y: number;
  readonly plusMinus?: number;
}

export interface FrontPlot {
  readonly title: string;
  readonly horizontal: string;
  readonly vertical: string;
  /** Joined by a line, with a band around it. */
  readonly line: readonly PlottedPoint[];
  readonly dots: readonly PlottedPoint[];
}

const WIDTH = 640;
const HEIGHT = 320;
const LEFT = 56;
const RIGHT = 16;
const TOP = 16;
const BOTTOM = 48;
/** Percentage points that are shown at least. */
const LEAST_SCORES = 2;

/** A curve with a band, and dots beside it, as SVG: it needs no script. */
export function frontPlot({ title, horizontal, vertical, line, dots }: FrontPlot): Html {
  const all = [...line, ...dots];
  const largest = Math.max(...all.map(({ x }) => x));
  const across = fitted([0, largest], { leastSpan: largest, within: [0, Infinity] });
  const up = fitted(
    all.flatMap(({ y, plusMinus = 0 }) => [y - plusMinus, y + plusMinus]),
    { leastSpan: LEAST_SCORES, within: [0, 100] },
  );
  const x = placeOn(across, LEFT, WIDTH - RIGHT);
  const y = placeOn(up, HEIGHT - BOTTOM, TOP);
  const path = (points: readonly PlottedPoint[]): string =>
    points.map((point) => `${round(x(point.x))},${round(y(point.y))}`).join(' ');
  const off = (sign: 1 | -1) =>
    line.map((point) => ({ x: point.x, y: point.y + sign * (point.plusMinus ?? 0) }));
  return html`<figure class="card">
    <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}" style="width: 100%; height: auto">
      ${across.ticks.map((tick) =>
        axisTick({ x: x(tick), y: HEIGHT - BOTTOM + 18, text: tick, anchor: 'middle' }),
      )}
      ${up.ticks.map(
        (tick) =>
          html`<line
              x1="${LEFT}"
              x2="${WIDTH - RIGHT}"
              y1="${round(y(tick))}"
              y2="${round(y(tick))}"
              style="stroke: var(--line)"
            />
            ${axisTick({ x: LEFT - 6, y: y(tick) + 4, text: tick, anchor: 'end' })}`,
      )}
      <polygon
        points="${path([...off(1), ...off(-1).reverse()])}"
        style="fill: var(--accent); opacity: 0.15"
      />
      <polyline points="${path(line)}" style="fill: none; stroke: var(--accent); stroke-width: 2" />
      ${dots.map(
        (dot) =>
          html`<circle cx="${round(x(dot.x))}" cy="${round(y(dot.y))}" r="4" style="fill: var(--ink)" />`,
      )}
      <text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 8}" style="${TEXT}; text-anchor: middle">
        ${horizontal}
      </text>
      <text x="${LEFT}" y="${TOP - 4}" style="${TEXT}">${vertical}</text>
    </svg>
    <figcaption>${title}: the line is expected, its band what it may be off by; dots were built.</figcaption>
  </figure>`;
}

const TEXT = 'fill: var(--quiet); font: 12px system-ui, sans-serif';

const axisTick = ({
  x,
  y,
  text,
  anchor,
}: {
  readonly x: number;
  readonly y: number;
  readonly text: number;
  readonly anchor: string;
}): Html =>
  html`<text x="${round(x)}" y="${round(y)}" style="${TEXT}; text-anchor: ${anchor}">${text}</text>`;

const placeOn =
  ({ min, max }: Fitted, from: number, to: number) =>
  (value: number): number =>
    from + ((value - min) / (max - min)) * (to - from);

const round = (value: number): string => value.toFixed(1);
