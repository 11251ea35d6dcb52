/** Bars: how full something is, and how a sum is made up. The number always stands beside. */

import type { Level } from '../levels';

/** Thousandths of what it may be; what is more ends at the right. */
export function Bar({ permille, tone }: { permille: number; tone: Level }) {
  const width = Math.min(1_000, Math.max(0, permille)) / 10;
  return (
    <svg className="bar" data-tone={tone} viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
      <rect className="bar-ground" width="100" height="4" rx="1" />
      <rect className="bar-full" width={width} height="4" rx="1" />
    </svg>
  );
}

/** To the right of the middle for what came, to the left for what went. `most` fills a half. */
export function TwoWayBar({ value, most }: { value: number; most: number }) {
  const width = most === 0 ? 0 : (Math.abs(value) / most) * 50;
  return (
    <svg className="bar two-way" data-tone={value < 0 ? 'minus' : 'plus'} viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
      <rect className="bar-ground" width="100" height="6" />
      <rect className="bar-full" x={value < 0 ? 50 - width : 50} width={width} height="6" />
      <rect className="bar-middle" x="49.8" width="0.4" height="6" />
    </svg>
  );
}
