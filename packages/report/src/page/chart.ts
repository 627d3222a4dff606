import { BarChart, CustomChart, HeatmapChart, LineChart, ScatterChart } from 'echarts/charts';
import {
  AriaComponent,
  GridComponent,
  LegendComponent,
  TooltipComponent,
  VisualMapComponent,
} from 'echarts/components';
import { type ECharts, init, use } from 'echarts/core';
import type { EChartsCoreOption } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';

/** Makes the kinds of charts known that the page draws. */
export function registerCharts(): void {
  use([
    AriaComponent,
    BarChart,
    CanvasRenderer,
    CustomChart,
    GridComponent,
    HeatmapChart,
    LegendComponent,
    LineChart,
    ScatterChart,
    TooltipComponent,
    VisualMapComponent,
  ]);
}

/** Colours that colour-blind people can tell apart (Okabe and Ito), for a light ground and for a dark one. */
const palettes = {
  light: ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#a6761d', '#56b4e9', '#b8860b', '#7b3294', '#e41a1c'],
  dark: ['#56b4e9', '#ff9a4d', '#2fd6a5', '#f0a6d2', '#e6c229', '#9ad0ff', '#d8b365', '#c59bea', '#ff8a7a'],
} as const;

export interface Colours {
  readonly palette: readonly string[];
  readonly ink: string;
  readonly quiet: string;
  readonly line: string;
  readonly ground: string;
  readonly bad: string;
  readonly isDark: boolean;
}

const dark = () => matchMedia('(prefers-color-scheme: dark)');

export function colours(): Colours {
  const style = getComputedStyle(document.documentElement);
  const variable = (name: string) => style.getPropertyValue(name).trim();
  const isDark = dark().matches;
  return {
    palette: isDark ? palettes.dark : palettes.light,
    ink: variable('--ink'),
    quiet: variable('--quiet'),
    line: variable('--line'),
    ground: variable('--card'),
    bad: variable('--bad'),
    isDark,
  };
}

/** Describes a chart where it cannot be seen; its numbers stand in a table of the page. */
export const described = (description: string) => ({ aria: { enabled: true, label: { description } } });

/** A chart that follows its element's size and the page's colours. */
export function chart(
  element: HTMLElement,
  optionOf: (colours: Colours, widthPx: number) => EChartsCoreOption,
): { draw(): void } {
  const drawn: ECharts = init(element);
  const draw = () => {
    drawn.setOption(optionOf(colours(), drawn.getWidth()), { notMerge: true });
  };
  new ResizeObserver(() => {
    drawn.resize();
    draw();
  }).observe(element);
  dark().addEventListener('change', draw);
  draw();
  return { draw };
}
