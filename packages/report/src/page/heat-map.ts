import { type Colours, described } from './chart';

/** Shares of rows by columns; `tip` is what is said of a place, as text. */
export interface HeatMap {
  readonly description: string;
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  readonly columnsAre: string;
  readonly cells: readonly {
    readonly row: number;
    readonly column: number;
    readonly share: number;
    readonly tip: string;
  }[];
  /** The share that is brightest, and the one that is not there. */
  readonly range: readonly [number, number];
}

/** Longer names of columns stand aslant, in a space of their own. */
const SHORT = 3;
const COLUMN_NAME_PX = 60;
/** Up to so many columns have room for numbers. */
const MOST_LABELLED = 12;

export const heatMapOption = (
  { description, rows, columns, columnsAre, cells, range: [min, max] }: HeatMap,
  { ink, quiet, line, ground, isDark }: Colours,
) => {
  // Numbers stand side by side; names of any length do not.
  const areNames = columns.some((name) => name.length > SHORT);
  return {
    ...described(description),
    animation: false,
    textStyle: { color: ink },
    grid: { left: labelPx(rows) + 10, right: 12, top: 8, bottom: areNames ? 64 + COLUMN_NAME_PX : 64 },
    tooltip: {
      confine: true,
      backgroundColor: ground,
      borderColor: line,
      textStyle: { color: ink },
      formatter: ({ data }: { data: { tip: string } }) => data.tip,
    },
    xAxis: {
      type: 'category',
      name: columnsAre,
      nameLocation: 'middle',
      nameGap: 22,
      data: [...columns],
      axisLabel: {
        color: quiet,
        ...(areNames ? { interval: 0, rotate: 60, width: COLUMN_NAME_PX, overflow: 'truncate' } : {}),
      },
    },
    yAxis: {
      type: 'category',
      data: [...rows],
      inverse: true,
      axisLabel: { color: quiet, width: labelPx(rows), overflow: 'truncate' },
    },
    visualMap: {
      min,
      max,
      orient: 'horizontal',
      left: 'center',
      bottom: 0,
      itemWidth: 10,
      itemHeight: 90,
      text: [percentOf(max), percentOf(min)],
      textStyle: { color: quiet },
      inRange: { color: isDark ? ['#1d2530', '#2f6ea3', '#9ad0ff'] : ['#f2f6fa', '#6aaed6', '#08519c'] },
    },
    series: [
      {
        type: 'heatmap',
        data: cells.map(({ row, column, share, tip }) => ({
          value: [column, row, Number(share.toFixed(4))],
          tip,
        })),
        itemStyle: { borderColor: ground, borderWidth: 2 },
        label: {
          show: columns.length <= MOST_LABELLED,
          fontSize: 11,
          formatter: ({ data }: { data: { value: readonly [number, number, number] } }) =>
            (100 * data.value[2]).toFixed(0),
        },
      },
    ],
  };
};

/** Room for the names of rows. */
const labelPx = (rows: readonly string[]): number =>
  Math.min(170, Math.max(60, ...rows.map(({ length }) => 7 * length)));

const percentOf = (share: number): string => `${(100 * share).toFixed(0)} %`;
