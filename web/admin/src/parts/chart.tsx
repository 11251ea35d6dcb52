/** A chart over time. What it shows is also said in numbers above it, so that nobody has to read colours. */

import { useEffect, useEffectEvent, useId, useRef, useState } from 'react';
import uPlot from 'uplot';
import { clock, moment, NOTHING, type Zone } from '../format';
import { useSettings, useTheme } from '../settings';

export interface Line {
  name: string;
  /** A colour of the style sheet, such as `--line-1`. */
  colour: string;
  values: (number | null)[];
}

interface ChartProps {
  title: string;
  /** Seconds since 1970, rising. */
  times: number[];
  lines: readonly Line[];
  format: (value: number) => string;
  /** The scale reaches at least this far. */
  atLeast?: number;
  /** A level that should not be passed. */
  limit?: { value: number; words: string };
}

const HEIGHT_PX = 150;
const WIDTH_PX_MIN = 200;

export function Chart({ title, times, lines, format, atLeast = 1, limit }: ChartProps) {
  const [at, setAt] = useState<number | null>(null);
  const { zone } = useSettings();
  const theme = useTheme();
  const id = useId();
  const index = at !== null && at < times.length ? at : times.length - 1;
  const second = times[index];
  return (
    <figure className="chart" aria-labelledby={id}>
      <figcaption id={id}>
        <span className="chart-title">{title}</span>
        <span className="quiet">{at === null || second === undefined ? 'now' : moment(second * 1_000, zone)}</span>
        <ul className="legend">
          {lines.map((line) => (
            <li key={line.name}>
              <span className="swatch" data-colour={line.colour.slice(2)} aria-hidden="true" />
              {line.name} <strong>{shown(line.values[index], format)}</strong>
              <span className="quiet"> max {shown(highest(line.values), format)}</span>
            </li>
          ))}
          {limit !== undefined && <li className="quiet">{limit.words}</li>}
        </ul>
      </figcaption>
      {/* A canvas follows no style sheet and no zone: another one is made. */}
      <Plot key={`${theme} ${zone}`} times={times} lines={lines} format={format} atLeast={atLeast} limit={limit?.value ?? null} zone={zone} onIndex={setAt} />
    </figure>
  );
}

interface PlotProps {
  times: number[];
  lines: readonly Line[];
  format: (value: number) => string;
  atLeast: number;
  limit: number | null;
  zone: Zone;
  onIndex: (index: number | null) => void;
}

function Plot(props: PlotProps) {
  const { times, lines } = props;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const make = useEffectEvent((element: HTMLElement) => new uPlot(optionsOf(props, widthOf(element)), dataOf(times, lines), element));

  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const made = make(element);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: widthOf(element), height: HEIGHT_PX }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, []);

  useEffect(() => {
    plot.current?.setData(dataOf(times, lines));
  }, [times, lines]);

  return <div ref={place} className="chart-place" aria-hidden="true" />;
}

function widthOf(element: HTMLElement): number {
  return Math.max(WIDTH_PX_MIN, element.clientWidth);
}

function dataOf(times: number[], lines: readonly Line[]): uPlot.AlignedData {
  return [times, ...lines.map((line) => line.values)];
}

function optionsOf({ lines, format, atLeast, limit, zone, onIndex }: PlotProps, width: number): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const faint = { stroke: colour('--line'), width: 0.5 };
  const axis = { stroke: colour('--muted'), grid: faint, ticks: faint, font: '11px system-ui, sans-serif' };
  return {
    width,
    height: HEIGHT_PX,
    legend: { show: false },
    cursor: { sync: { key: 'overview' }, points: { size: 6 }, drag: { x: false, y: false } },
    scales: { y: { range: (_plot, _low, high) => [0, Math.max(atLeast, (high ?? 0) * 1.1)] } },
    axes: [
      { ...axis, space: 70, size: 28, values: (_plot, splits) => clocks(splits, zone) },
      { ...axis, space: 26, size: 66, values: (_plot, splits) => splits.map(format) },
    ],
    series: [{}, ...lines.map((line) => ({ stroke: colour(line.colour), width: 1.5, points: { show: false }, spanGaps: false }))],
    hooks: {
      setCursor: [(drawn) => onIndex(drawn.cursor.idx ?? null)],
      draw: limit === null ? [] : [(drawn) => drawLimit(drawn, limit, colour('--bad'))],
    },
  };
}

/** To the minute, and to the second where minutes would repeat. */
function clocks(seconds: readonly number[], zone: Zone): string[] {
  const [first = 0, second = 60] = seconds;
  return seconds.map((at) => clock(at * 1_000, zone).slice(0, second - first < 60 ? 8 : 5));
}

function shown(value: number | null | undefined, format: (value: number) => string): string {
  return value === null || value === undefined ? NOTHING : format(value);
}

function highest(values: readonly (number | null)[]): number | null {
  return values.reduce<number | null>((high, value) => (value === null ? high : high === null ? value : Math.max(high, value)), null);
}

function drawLimit(drawn: uPlot, value: number, colour: string): void {
  const y = drawn.valToPos(value, 'y', true);
  const { left, top, width } = drawn.bbox;
  if (y < top) return;
  const { ctx } = drawn;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.setLineDash([6, 6]);
  ctx.beginPath();
  ctx.moveTo(left, y);
  ctx.lineTo(left + width, y);
  ctx.stroke();
  ctx.restore();
}
