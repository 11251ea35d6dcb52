/** Where things lie in the drawing of the rack, and where a cable may go. */

import type { Hero, Rack } from '@dopamine-hero/sdk';
import type { Catalogue } from '../catalogue';
import { FACE } from '../art/module-face';

export const CORE = 'core';
export const CELL = { width: FACE.width + 16, height: FACE.height + 16 } as const;
export const CORE_HEIGHT = 74;
export const CORE_INPUTS = 6;

export interface Point {
  x: number;
  y: number;
}

export function boardSize(rack: Rack): { width: number; height: number } {
  return { width: rack.columns * CELL.width, height: rack.rows * CELL.height + CORE_HEIGHT };
}

export function cellOrigin(rack: Rack, cell: number): Point {
  return { x: (cell % rack.columns) * CELL.width + 8, y: Math.floor(cell / rack.columns) * CELL.height + 8 };
}

export function cellAt(rack: Rack, point: Point): number | null {
  const column = Math.floor(point.x / CELL.width);
  const row = Math.floor(point.y / CELL.height);
  if (column < 0 || column >= rack.columns || row < 0 || row >= rack.rows) return null;
  return row * rack.columns + column;
}

export function cellOf(rack: Rack, moduleId: string): number | null {
  return rack.placements.find((one) => one.module_id === moduleId)?.cell ?? null;
}

export function moduleAt(rack: Rack, cell: number): string | null {
  return rack.placements.find((one) => one.cell === cell)?.module_id ?? null;
}

function distance(rack: Rack, a: number, b: number): number {
  const columns = Math.abs((a % rack.columns) - (b % rack.columns));
  return columns + Math.abs(Math.floor(a / rack.columns) - Math.floor(b / rack.columns));
}

/** Where a cable from this module may be plugged in. The server has the last word. */
export function cableGoals(hero: Hero, catalogue: Catalogue | null, from: string): string[] {
  const { rack } = hero;
  const start = cellOf(rack, from);
  if (start === null) return [];
  const goals = rack.placements.filter(({ module_id, cell }) => {
    const spec = catalogue?.modules.find((one) => one.id === module_id);
    if (module_id === from || spec === undefined || spec.kind === 'generator') return false;
    const used = rack.cables.filter((cable) => cable.to === module_id && cable.from !== from).length;
    return distance(rack, start, cell) <= rack.reach && used < spec.inputs && !leadsTo(rack, module_id, from);
  });
  const coreUsed = rack.cables.filter((cable) => cable.to === CORE && cable.from !== from).length;
  return [...(coreUsed < CORE_INPUTS ? [CORE] : []), ...goals.map((one) => one.module_id)];
}

/** A cable back into its own path would be a circle. */
function leadsTo(rack: Rack, from: string, goal: string): boolean {
  let at: string | undefined = from;
  for (let step = 0; step <= rack.cables.length && at !== undefined; step += 1) {
    if (at === goal) return true;
    at = rack.cables.find((cable) => cable.from === at)?.to;
  }
  return false;
}

/** Both ends of a cable and a curve that hangs a little. */
export function cablePath(rack: Rack, from: string, to: string, input: number): string | null {
  const start = cellOf(rack, from);
  if (start === null) return null;
  const origin = cellOrigin(rack, start);
  const a = { x: origin.x + 84, y: origin.y + 100 };
  const b = goalPoint(rack, to, input);
  if (b === null) return null;
  const sag = 26 + Math.abs(a.x - b.x) * 0.18;
  const hang = to === CORE ? 14 : sag;
  return `M${a.x} ${a.y}C${a.x} ${a.y + sag} ${b.x} ${b.y + (to === CORE ? -hang : hang)} ${b.x} ${b.y}`;
}

function goalPoint(rack: Rack, to: string, input: number): Point | null {
  if (to === CORE) return corePoint(rack, input);
  const cell = cellOf(rack, to);
  if (cell === null) return null;
  const origin = cellOrigin(rack, cell);
  return { x: origin.x + 16 + input * 13, y: origin.y + 100 };
}

export function corePoint(rack: Rack, input: number): Point {
  const { width } = boardSize(rack);
  const spread = Math.min(26, (width - 60) / CORE_INPUTS);
  return { x: width / 2 + (input - (CORE_INPUTS - 1) / 2) * spread, y: rack.rows * CELL.height + 26 };
}
