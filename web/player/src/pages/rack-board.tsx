import { type KeyboardEvent, type PointerEvent, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { ModuleFace } from '../art/module-face';
import { type Catalogue, moduleName } from '../catalogue';
import { useClient, useGame } from '../game';
import { boardSize, cableGoals, cablePath, CELL, cellAt, cellOf, cellOrigin, CORE, CORE_HEIGHT, CORE_INPUTS, corePoint, moduleAt, type Point } from './rack-geometry';

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

/** Finger or mouse must move this far before a press becomes a drag. */
const DRAG_PX_MIN = 8;

export function RackBoard({ catalogue, hand, onHand, say }: BoardProps) {
  const client = useClient();
  const { view } = useGame();
  const { hero } = view;
  const { rack } = hero;
  const size = boardSize(rack);
  const cells = rack.columns * rack.rows;
  /** One past the last cell is the core. */
  const [cursor, setCursor] = useState(0);
  const [drag, setDrag] = useState<{ moduleId: string; at: Point } | null>(null);
  const press = useRef<{ moduleId: string; x: number; y: number } | null>(null);
  const board = useRef<HTMLDivElement>(null);
  const name = (id: string) => (id === CORE ? 'the core' : moduleName(catalogue, id));
  const goals = hand.cableFrom === null ? [] : cableGoals(hero, catalogue, hand.cableFrom);

  const place = (moduleId: string, cell: number) => {
    const there = moduleAt(rack, cell);
    if (there !== null && there !== moduleId) return say(`${name(there)} lies there already.`);
    if (cellOf(rack, moduleId) !== cell) client.send({ place_module: { module_id: moduleId, cell } });
    onHand({ held: null, cableFrom: null, selected: moduleId });
    say(`${name(moduleId)} put down.`);
  };
  const plug = (to: string) => {
    const from = hand.cableFrom;
    if (from === null) return;
    onHand({ ...EMPTY_HAND, selected: from });
    if (!goals.includes(to)) return say(`A cable from ${name(from)} cannot go to ${name(to)}.`);
    client.send({ connect_cable: { from, to } });
    say(`Cable from ${name(from)} to ${name(to)}.`);
  };
  const activate = (cell: number) => {
    setCursor(cell);
    const there = cell === cells ? CORE : moduleAt(rack, cell);
    if (hand.cableFrom !== null) return there === null ? undefined : plug(there);
    if (hand.held !== null) return cell === cells ? undefined : place(hand.held, cell);
    if (there !== null && there !== CORE) onHand({ ...EMPTY_HAND, selected: there });
    else onHand(EMPTY_HAND);
  };

  const keyDown = (event: KeyboardEvent) => {
    const there = cursor === cells ? CORE : moduleAt(rack, cursor);
    const move = moveCursor(event.key, cursor, rack.columns, rack.rows);
    if (move !== null) {
      setCursor(move);
      focusCell(board.current, move);
    } else if (event.key === 'Enter') {
      if (hand.held !== null || hand.cableFrom !== null) activate(cursor);
      else if (there !== null && there !== CORE) {
        onHand({ ...EMPTY_HAND, held: there });
        say(`${name(there)} picked up. Arrows, then Enter.`);
      }
    } else if (event.key.toLowerCase() === 'c') {
      if (hand.cableFrom !== null) activate(cursor);
      else if (there !== null && there !== CORE) {
        onHand({ ...EMPTY_HAND, cableFrom: there });
        say(`Cable from ${name(there)}. Go to its goal and press C.`);
      }
    } else if (event.key === 'Delete' && there !== null && there !== CORE) {
      client.send({ remove_module: { module_id: there } });
    } else if (event.key === 'Escape' && (hand.held !== null || hand.cableFrom !== null)) {
      onHand(EMPTY_HAND);
      say('Let go.');
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const toBoard = (event: { clientX: number; clientY: number }): Point => {
    const box = board.current?.getBoundingClientRect();
    if (box === undefined) return { x: -1, y: -1 };
    return { x: ((event.clientX - box.left) / box.width) * size.width, y: ((event.clientY - box.top) / box.height) * size.height };
  };
  const pointerDown = (event: PointerEvent, cell: number) => {
    const moduleId = moduleAt(rack, cell);
    if (moduleId !== null && event.button === 0) press.current = { moduleId, x: event.clientX, y: event.clientY };
  };
  const latest = useRef({ place, toBoard, rack });
  useLayoutEffect(() => {
    latest.current = { place, toBoard, rack };
  });
  useEffect(() => {
    const move = (event: globalThis.PointerEvent) => {
      const start = press.current;
      if (start === null || Math.hypot(event.clientX - start.x, event.clientY - start.y) < DRAG_PX_MIN) return;
      setDrag({ moduleId: start.moduleId, at: latest.current.toBoard(event) });
    };
    const up = (event: globalThis.PointerEvent) => {
      const start = press.current;
      press.current = null;
      setDrag(null);
      if (start === null || Math.hypot(event.clientX - start.x, event.clientY - start.y) < DRAG_PX_MIN) return;
      const cell = cellAt(latest.current.rack, latest.current.toBoard(event));
      if (cell !== null && event.type === 'pointerup') latest.current.place(start.moduleId, cell);
    };
    addEventListener('pointermove', move);
    addEventListener('pointerup', up);
    addEventListener('pointercancel', up);
    return () => {
      removeEventListener('pointermove', move);
      removeEventListener('pointerup', up);
      removeEventListener('pointercancel', up);
    };
  }, [press, latest]);

  const cellWords = (cell: number): string => {
    const where = `Row ${Math.floor(cell / rack.columns) + 1}, column ${(cell % rack.columns) + 1}`;
    const there = moduleAt(rack, cell);
    if (there === null) return `${where}: empty`;
    const to = rack.cables.find((cable) => cable.from === there)?.to;
    const power = rack.powered.includes(there) ? 'powered' : 'not powered';
    return `${where}: ${name(there)}, ${power}, ${to === undefined ? 'no cable' : `cable to ${name(to)}`}`;
  };

  return (
    <div
      className="board-frame"
      data-skin={hero.profile.equipped.find((one) => one.startsWith('skin_')) ?? 'plain'}
      style={{ maxWidth: `min(${size.width * 1.9}px, ${(72 * size.width) / size.height}vh)` }}
    >
      <div ref={board} className="board" role="grid" aria-label="Rack" tabIndex={-1} style={{ aspectRatio: `${size.width} / ${size.height}` }} onKeyDown={keyDown}>
      <BoardDrawing catalogue={catalogue} drag={drag} goals={goals} hand={hand} />
      {Array.from({ length: rack.rows + 1 }, (_, row) => (
        <div key={row} role="row" className="board-row">
          {(row === rack.rows ? [cells] : Array.from({ length: rack.columns }, (__, column) => row * rack.columns + column)).map((cell) => (
            <button
              key={cell}
              type="button"
              role="gridcell"
              className="board-cell"
              data-cell={cell}
              tabIndex={cell === cursor ? 0 : -1}
              aria-label={cell === cells ? 'Core' : cellWords(cell)}
              aria-selected={cell < cells && moduleAt(rack, cell) !== null && moduleAt(rack, cell) === hand.selected}
              style={cellBox(cell, cells, rack.columns, size)}
              onFocus={() => setCursor(cell)}
              onClick={() => activate(cell)}
              onPointerDown={(event) => pointerDown(event, cell)}
            />
          ))}
        </div>
      ))}
      </div>
    </div>
  );
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
  drag: { moduleId: string; at: Point } | null;
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
