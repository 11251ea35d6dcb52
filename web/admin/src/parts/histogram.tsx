/** How many heroes change by how much: 41 columns, each 5 % wide. */

import { count, many } from '../format';

const WIDTH = 615;
const HEIGHT = 150;
const FOOT = 22;
const HEAD = 14;
/** Room for half a label. */
const SIDE = 14;

export function Histogram({ counts }: { counts: readonly number[] }) {
  const most = Math.max(1, ...counts);
  const step = WIDTH / Math.max(1, counts.length);
  const middle = (counts.length - 1) / 2;
  const place = (index: number) => Math.round((index - middle) * 5);
  const total = counts.reduce((sum, value) => sum + value, 0);
  if (total === 0) return <p className="quiet">No hero was looked at.</p>;
  return (
    <div className="table-scroll">
      <svg className="histogram" viewBox={`-${SIDE} 0 ${WIDTH + 2 * SIDE} ${HEIGHT + FOOT + HEAD}`} role="img" aria-label={sentence(counts, place)}>
        {counts.map((value, index) => {
          const height = (value / most) * HEIGHT;
          const at = place(index);
          return (
            <g key={at} data-side={at < 0 ? 'minus' : at > 0 ? 'plus' : 'none'}>
              <rect x={index * step + 1} y={HEAD + HEIGHT - Math.max(value > 0 ? 2 : 0, height)} width={step - 2} height={Math.max(value > 0 ? 2 : 0, height)}>
                <title>{`${label(at)}: ${many(value, 'hero', 'heroes')}`}</title>
              </rect>
              {value > 0 && (
                <text x={index * step + step / 2} y={HEAD + HEIGHT - height - 3} textAnchor="middle">
                  {count(value)}
                </text>
              )}
              {at % 25 === 0 && (
                <text className="foot" x={index * step + step / 2} y={HEAD + HEIGHT + 15} textAnchor="middle">
                  {label(at)}
                </text>
              )}
            </g>
          );
        })}
        <line x1="0" x2={WIDTH} y1={HEAD + HEIGHT} y2={HEAD + HEIGHT} />
      </svg>
    </div>
  );
}

function label(percent: number): string {
  return percent > 0 ? `+${percent} %` : percent < 0 ? `−${-percent} %` : '0 %';
}

function sentence(counts: readonly number[], place: (index: number) => number): string {
  const parts = counts.map((value, index) => (value === 0 ? '' : `${label(place(index))}: ${value}`)).filter((part) => part !== '');
  return `Heroes by change of energy an hour. ${parts.join(', ')}.`;
}
