import type { Rack } from '@dopamine-hero/sdk';
import { type KeyboardEvent, useRef, useState } from 'react';
import { ModuleFace } from '../art/module-face';
import { type Catalogue, moduleName } from '../catalogue';
import { useClient, useGame } from '../game';
import { boardSize, cableGoals, cablePath, CELL, cellOf, cellOrigin, CORE, CORE_HEIGHT, CORE_INPUTS, corePoint, moduleAt } from './rack-geometry';
import { type Drag, useModuleDrag } from './rack-drag';

export interface Hand {
  /** A module that was picked up and waits for a cell. */
  held: string | null;
  /** A module whose output waits for a goal. */
  cableFrom: string | null;
  selected: string | null;
}

export const EMPTY_HAND: Hand = { held: null, cableFrom: null, selected: null };

export interface BoardProps {
  catalogue: Catalogue | null;
  hand: Hand;
  onHand: (hand: Hand) => void;
  say: (words: string) => void;
}

/** What the hand does on the board, whoever moves it: mouse, finger or keys. */
function useHand({ catalogue, hand, onHand, say }: BoardProps) {
  const client = useClient();
  const { hero } = useGame().view;
  const { rack } = hero;
  const core = rack.columns * rack.rows;
  const name = (id: string) => (id === CORE ? 'the core' : moduleName(catalogue, id));
  const goals = hand.cableFrom === null ? [] : cableGoals(hero, catalogue, hand.cableFrom);
  /** One past the last cell is the core. */
  const at = (cell: number) => (cell === core ? CORE : moduleAt(rack, cell));

  const place = (moduleId: string, cell: number) => {
    const there = moduleAt(rack, cell);
    if (there !== null && there !== moduleId) return say(`${name(there)} lies there already.`);
    if (cellOf(rack, moduleId) !== cell) client.send({ place_module: { module_id: moduleId, cell } });
    onHand({ ...EMPTY_HAND, selected: moduleId });
    say(`${name(moduleId)} put down.`);
  };
  const plug = (from: string, to: string) => {
    onHand({ ...EMPTY_HAND, selected: from });
    if (!goals.includes(to)) return say(`A cable from ${name(from)} cannot go to ${name(to)}.`);
    client.send({ connect_cable: { from, to } });
    say(`Cable from ${name(from)} to ${name(to)}.`);
  };
  const activate = (cell: number) => {
    const there = at(cell);
    if (hand.cableFrom !== null) return there === null ? undefined : plug(hand.cableFrom, there);
    if (hand.held !== null) return cell === core ? undefined : place(hand.held, cell);
    onHand(there === null || there === CORE ? EMPTY_HAND : { ...EMPTY_HAND, selected: there });
  };
  /** Enter, C, Delete and Escape on a cell; false if the key means nothing here. */
  const key = (pressed: string, cell: number): boolean => {
    const there = at(cell);
    const moduleId = there === CORE ? null : there;
    const isBusy = hand.held !== null || hand.cableFrom !== null;
    if ((pressed === 'Enter' && isBusy) || (pressed === 'c' && hand.cableFrom !== null)) activate(cell);
    else if (pressed === 'Escape' && isBusy) {
      onHand(EMPTY_HAND);
      say('Let go.');
    } else if (moduleId === null) return pressed === 'Enter' || pressed === 'c';
    else if (pressed === 'Enter') {
      onHand({ ...EMPTY_HAND, held: moduleId });
      say(`${name(moduleId)} picked up. Arrows, then Enter.`);
    } else if (pressed === 'c') {
      onHand({ ...EMPTY_HAND, cableFrom: moduleId });
      say(`Cable from ${name(moduleId)}. Go to its goal and press C.`);
    } else if (pressed === 'Delete') client.send({ remove_module: { module_id: moduleId } });
    else return false;
    return true;
  };
  return { goals, place, activate, key };
}

export function RackBoard(props: BoardProps) {
  const { catalogue, hand } = props;
  const { hero } = useGame().view;
  const { rack } = hero;
  const size = boardSize(rack);
  const core = rack.columns * rack.rows;
  const [cursor, setCursor] = useState(0);
  const board = useRef<HTMLDivElement>(null);
  const { goals, place, activate, key } = useHand(props);
  const { drag, pointerDown } = useModuleDrag(board, rack, place);

  const keyDown = (event: KeyboardEvent) => {
    const move = moveCursor(event.key, cursor, rack.columns, rack.rows);
    if (move !== null) {
      setCursor(move);
      focusCell(board.current, move);
    } else if (!key(event.key.length === 1 ? event.key.toLowerCase() : event.key, cursor)) return;
    event.preventDefault();
    event.stopPropagation();
  };
  const cell = (index: number) => (
    <button
      key={index}
      type="button"
      role="gridcell"
      className="board-cell"
      data-cell={index}
      tabIndex={index === cursor ? 0 : -1}
      aria-label={index === core ? 'Core' : cellWords(rack, catalogue, index)}
      aria-selected={hand.selected !== null && moduleAt(rack, index) === hand.selected}
      style={cellBox(index, core, rack.columns, size)}
      onFocus={() => setCursor(index)}
      onClick={() => {
        setCursor(index);
        activate(index);
      }}
      onPointerDown={(event) => pointerDown(event, index)}
    />
  );
  const rows = Array.from({ length: rack.rows }, (_, row) => Array.from({ length: rack.columns }, (__, column) => row * rack.columns + column));
  return (
    <div
      className="board-frame"
      data-skin={hero.profile.equipped.find((one) => one.startsWith('skin_')) ?? 'plain'}
      style={{ maxWidth: `min(${size.width * 1.9}px, ${(72 * size.width) / size.height}vh)` }}
    >
      <div ref={board} className="board" role="grid" aria-label="Rack" tabIndex={-1} style={{ aspectRatio: `${size.width} / ${size.height}` }} onKeyDown={keyDown}>
        <BoardDrawing catalogue={catalogue} drag={drag} goals={goals} hand={hand} />
        {[...rows, [core]].map((row) => (
          <div key={row[0]} role="row" className="board-row">
            {row.map(cell)}
          </div>
        ))}
      </div>
    </div>
  );
}

function cellWords(rack: Rack, catalogue: Catalogue | null, cell: number): string {
  const where = `Row ${Math.floor(cell / rack.columns) + 1}, column ${(cell % rack.columns) + 1}`;
  const there = moduleAt(rack, cell);
  if (there === null) return `${where}: empty`;
  const to = rack.cables.find((cable) => cable.from === there)?.to;
  const power = rack.powered.includes(there) ? 'powered' : 'not powered';
  const goal = to === CORE ? 'the core' : moduleName(catalogue, to ?? '');
  return `${where}: ${moduleName(catalogue, there)}, ${power}, ${to === undefined ? 'no cable' : `cable to ${goal}`}`;
}

function focusCell(board: HTMLDivElement | null, cell: number): void {
  board?.querySelector<HTMLButtonElement>(`[data-cell="${cell}"]`)?.focus();
}

/** Down from the last row is the core, up from the core is the last row. */
export function moveCursor(key: string, cursor: number, columns: number, rows: number): number | null {
  const cells = columns * rows;
  if (cursor === cells) return key === 'ArrowUp' ? cells - columns : null;
  const column = cursor % columns;
  switch (key) {
    case 'ArrowLeft':
      return column > 0 ? cursor - 1 : cursor;
    case 'ArrowRight':
      return column < columns - 1 ? cursor + 1 : cursor;
    case 'ArrowUp':
      return cursor >= columns ? cursor - columns : cursor;
    case 'ArrowDown':
      return cursor + columns < cells ? cursor + columns : cells;
    default:
      return null;
  }
}

function cellBox(cell: number, cells: number, columns: number, size: { width: number; height: number }) {
  const percent = (part: number, whole: number) => `${(part / whole) * 100}%`;
  if (cell === cells) {
    return { left: '0', width: '100%', top: percent(size.height - CORE_HEIGHT, size.height), height: percent(CORE_HEIGHT, size.height) };
  }
  return {
    left: percent((cell % columns) * CELL.width, size.width),
    top: percent(Math.floor(cell / columns) * CELL.height, size.height),
    width: percent(CELL.width, size.width),
    height: percent(CELL.height, size.height),
  };
}

interface DrawingProps {
  catalogue: Catalogue | null;
  drag: Drag | null;
  goals: readonly string[];
  hand: Hand;
}

function BoardDrawing({ catalogue, drag, goals, hand }: DrawingProps) {
  const { hero } = useGame().view;
  const { rack } = hero;
  const size = boardSize(rack);
  const cable = hero.profile.equipped.find((one) => one.startsWith('cable_')) ?? 'mixed';
  const isLit = rack.powered.length > 0;
  return (
    <svg className="board-drawing" viewBox={`0 0 ${size.width} ${size.height}`} aria-hidden="true">
      {Array.from({ length: rack.columns * rack.rows }, (_, cell) => {
        const { x, y } = cellOrigin(rack, cell);
        return <rect key={cell} className="rack-slot" x={x} y={y} width={CELL.width - 16} height={CELL.height - 16} rx="9" />;
      })}
      <g className="core" data-lit={isLit} data-goal={goals.includes(CORE)}>
        <rect x="8" y={size.height - CORE_HEIGHT + 6} width={size.width - 16} height={CORE_HEIGHT - 14} rx="14" />
        <text x={size.width / 2} y={size.height - 17} textAnchor="middle">
          CORE
        </text>
        {Array.from({ length: CORE_INPUTS }, (_, input) => {
          const { x, y } = corePoint(rack, input);
          return <circle key={input} className="face-jack" cx={x} cy={y} r="5" />;
        })}
      </g>
      {rack.placements.map(({ module_id, cell }) => {
        const spec = catalogue?.modules.find((one) => one.id === module_id);
        const { x, y } = cellOrigin(rack, cell);
        const at = drag?.moduleId === module_id ? { x: drag.at.x - CELL.width / 2, y: drag.at.y - CELL.height / 2 } : { x, y };
        return (
          <g
            key={module_id}
            className="board-module"
            data-held={hand.held === module_id || drag?.moduleId === module_id}
            data-goal={goals.includes(module_id)}
            data-selected={hand.selected === module_id || hand.cableFrom === module_id}
            transform={`translate(${at.x} ${at.y})`}
          >
            <ModuleFace
              moduleId={module_id}
              name={moduleName(catalogue, module_id)}
              kind={spec?.kind ?? 'generator'}
              rarity={spec?.rarity ?? 'common'}
              level={hero.modules.find((one) => one.module_id === module_id)?.level ?? 1}
              lit={rack.powered.includes(module_id)}
              inputs={spec?.inputs ?? 1}
            />
          </g>
        );
      })}
      {rack.cables.map(({ from, to }, index) => {
        const input = rack.cables.filter((one) => one.to === to).findIndex((one) => one.from === from);
        const path = cablePath(rack, from, to, input);
        if (path === null || drag?.moduleId === from || drag?.moduleId === to) return null;
        return (
          <g key={from} className="cable" data-colour={cable === 'mixed' ? index % 5 : cable} data-lit={rack.powered.includes(from)}>
            <path className="cable-shadow" d={path} />
            <path className="cable-line" d={path} />
          </g>
        );
      })}
    </svg>
  );
}
