/** The rack as a plan: what lies where, what is powered, what is plugged into what. */

import type { Rack } from '@dopamine-hero/sdk';
import { perMinute, percent } from '../format';

const CELL_WIDTH = 116;
const CELL_HEIGHT = 46;

interface Point {
  x: number;
  y: number;
}

function middle(rack: Rack, cell: number): Point {
  return { x: ((cell % rack.columns) + 0.5) * CELL_WIDTH, y: (Math.floor(cell / rack.columns) + 0.5) * CELL_HEIGHT };
}

export function RackView({ rack }: { rack: Rack }) {
  if (rack.placements.length === 0) return <p className="quiet">The rack is empty: {rack.columns} × {rack.rows} cells.</p>;
  const width = rack.columns * CELL_WIDTH;
  const height = rack.rows * CELL_HEIGHT;
  const cells = new Map(rack.placements.map((placement) => [placement.module_id, placement.cell]));
  const powered = new Set(rack.powered);
  // The core is led to at the right edge.
  const core: Point = { x: width + 26, y: height / 2 };
  return (
    <div className="rack">
      <p>
        {perMinute(rack.dopamine_rate_ud_per_s)} D a minute while focusing, energy +{percent(rack.energy_bonus_permille)}
        {rack.synergies.length > 0 && `, synergies: ${rack.synergies.join(', ')}`}.
      </p>
      <div className="table-scroll">
        <svg className="rack-plan" viewBox={`-1 -1 ${width + 54} ${height + 2}`} width={width + 54} height={height + 2} role="img" aria-label={sentence(rack)}>
          {Array.from({ length: rack.columns * rack.rows }, (_, cell) => {
            const at = middle(rack, cell);
            return <rect key={cell} className="rack-cell" x={at.x - CELL_WIDTH / 2} y={at.y - CELL_HEIGHT / 2} width={CELL_WIDTH} height={CELL_HEIGHT} />;
          })}
          <rect className="rack-core" x={width + 8} y={height / 2 - 20} width="36" height="40" rx="6" />
          <text x={core.x} y={core.y + 4} textAnchor="middle">
            core
          </text>
          {rack.placements.map((placement) => {
            const at = middle(rack, placement.cell);
            return (
              <g key={placement.module_id} data-powered={powered.has(placement.module_id)} className="rack-module">
                <rect x={at.x - CELL_WIDTH / 2 + 4} y={at.y - CELL_HEIGHT / 2 + 4} width={CELL_WIDTH - 8} height={CELL_HEIGHT - 8} rx="5" />
                <text x={at.x} y={at.y + 4} textAnchor="middle">
                  {placement.module_id}
                </text>
              </g>
            );
          })}
          {rack.cables.map((cable) => {
            const from = cells.get(cable.from);
            const to = cells.get(cable.to);
            if (from === undefined || (to === undefined && cable.to !== 'core')) return null;
            const start = middle(rack, from);
            const end = to === undefined ? core : middle(rack, to);
            return <path key={`${cable.from} ${cable.to}`} className="rack-cable" d={cablePath(start, end)} />;
          })}
        </svg>
      </div>
    </div>
  );
}

/** Hangs below its ends, so that it can be told from the lines of the grid. */
function cablePath(from: Point, to: Point): string {
  const dip = CELL_HEIGHT * 0.55;
  return `M${from.x} ${from.y + 12}Q${(from.x + to.x) / 2} ${Math.max(from.y, to.y) + dip} ${to.x} ${to.y + 12}`;
}

function sentence(rack: Rack): string {
  const cables = rack.cables.map((cable) => `${cable.from} to ${cable.to}`).join(', ');
  return `${rack.placements.length} modules on ${rack.columns} × ${rack.rows} cells, ${rack.powered.length} powered. Cables: ${cables || 'none'}.`;
}
