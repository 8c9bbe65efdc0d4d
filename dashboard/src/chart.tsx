import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { timeOf } from '../../src/presentation/figures.js';
import { useStore } from './store.js';
import { theme } from './theme.js';

/** One line of a chart. */
export interface Series {
  readonly label: string;
  /** A colour of the stylesheet, `--series-…`. */
  readonly color: 'accent' | 'second' | 'third';
  readonly values: readonly (number | null)[];
  /** For what happens now and then. */
  readonly isPoints?: boolean;
}

interface ChartProps {
  readonly title: string;
  /** What the axis on the left says. */
  readonly axis: string;
  /** In seconds since 1970. */
  readonly times: readonly number[];
  readonly series: readonly Series[];
  readonly format: (value: number) => string;
}

const height = 190;

/** What the server keeps samples of, in seconds. A server that has just started leaves room on the left. */
const shownS = 15 * 60;

const dashes: Readonly<Record<Series['color'], number[]>> = { accent: [], second: [6, 4], third: [2, 3] };

/** Lines over time, with a legend that tells the figures below the pointer, else the latest. */
export function Chart(props: ChartProps) {
  const { title, times, series, format } = props;
  const [pointed, setPointed] = useState<number | null>(null);
  const box = useRef<HTMLDivElement>(null);
  usePlot(box, props, setPointed);
  const index = pointed ?? times.length - 1;
  const at = times[index];
  const told = series.map(({ label, values }) => `${label} ${valueAt(values[index], format)}`).join(', ');
  return (
    <figure class="chart">
      <figcaption>
        <h2>{title}</h2>
        <span class="note">{at === undefined ? 'no sample yet' : timeOf(new Date(at * 1_000))}</span>
      </figcaption>
      <div
        class="plot"
        ref={box}
        role="img"
        aria-label={`${title}, as a chart of the last 15 minutes. Latest: ${told}.`}
      />
      <ul class="legend">
        {series.map(({ label, color, values, isPoints }) => (
          <li key={label}>
            <span class={`swatch ${isPoints === true ? 'dot' : ''} series-${color}`} aria-hidden="true" />
            {label} <b>{valueAt(values[index], format)}</b>
          </li>
        ))}
      </ul>
    </figure>
  );
}

function valueAt(value: number | null | undefined, format: (value: number) => string): string {
  return value === null || value === undefined ? '–' : format(value);
}

/** Draws anew when the theme changes, and otherwise only what changed. */
function usePlot(
  box: { readonly current: HTMLDivElement | null },
  props: ChartProps,
  onPointed: (index: number | null) => void,
): void {
  const plot = useRef<uPlot | null>(null);
  const colors = useStore(theme);
  const { times, series } = props;
  const data = [times, ...series.map(({ values }) => values)] as unknown as uPlot.AlignedData;
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const made = new uPlot(optionsOf(props, element, onPointed), data, element);
    plot.current = made;
    const sizes = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    sizes.observe(element);
    return () => {
      sizes.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [colors]);
  useLayoutEffect(() => {
    plot.current?.setData(data);
  }, [times]);
}

function optionsOf(
  { axis, series, format }: ChartProps,
  element: HTMLElement,
  onPointed: (index: number | null) => void,
): uPlot.Options {
  const style = getComputedStyle(element);
  const color = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  const font = `12px ${style.fontFamily}`;
  const look = {
    font,
    labelFont: font,
    stroke: color('muted'),
    labelSize: 16,
    grid: { stroke: color('line'), width: 1 },
    ticks: { stroke: color('line'), width: 1, size: 4 },
  };
  return {
    width: element.clientWidth,
    height,
    padding: [10, 12, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false } },
    hooks: { setCursor: [({ cursor }) => onPointed(cursor.idx ?? null)] },
    scales: {
      x: { range: (_plot, _min, max) => [max - shownS, max] },
      y: { range: (_plot, _min, max) => [0, Math.max(4, max * 1.1)] },
    },
    axes: [
      {
        ...look,
        label: 'Time',
        size: 28,
        space: 70,
        incrs: wholeMinutes,
        values: (_plot, at) => at.map((one) => timeOf(new Date(one * 1_000)).slice(0, 5)),
      },
      { ...look, label: axis, size: 58, space: 24, incrs: wholeSteps, values: (_plot, at) => at.map(format) },
    ],
    series: [{}, ...series.map((one) => lineOf(one, color))],
  };
}

/** Labels have hours and minutes, so two marks must be at least a minute apart. */
const wholeMinutes = [60, 180, 300, 900];

/** An axis of managers has whole numbers only. */
const wholeSteps = [1, 10, 100, 1e3, 1e4, 1e5, 1e6].flatMap((ten) => [ten, 2 * ten, 5 * ten]);

function lineOf({ label, color, isPoints = false }: Series, colorOf: (name: string) => string): uPlot.Series {
  const stroke = colorOf(`series-${color}`);
  if (isPoints) return { label, stroke, paths: () => null, points: { show: true, size: 7, fill: stroke } };
  return { label, stroke, width: 2, dash: dashes[color], points: { show: false } };
}
