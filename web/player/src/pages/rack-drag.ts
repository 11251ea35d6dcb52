import type { Rack } from '@dopamine-hero/sdk';
import { type PointerEvent, type RefObject, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { boardSize, cellAt, moduleAt, type Point } from './rack-geometry';

/** Finger or mouse must move this far before a press becomes a drag. */
const DRAG_PX_MIN = 8;

export interface Drag {
  moduleId: string;
  /** In units of the drawing. */
  at: Point;
}

export interface ModuleDrag {
  drag: Drag | null;
  pointerDown: (event: PointerEvent, cell: number) => void;
}

/** Modules can be pulled to another cell by mouse or finger. */
export function useModuleDrag(board: RefObject<HTMLDivElement | null>, rack: Rack, place: (moduleId: string, cell: number) => void): ModuleDrag {
  const [drag, setDrag] = useState<Drag | null>(null);
  const press = useRef<{ moduleId: string; x: number; y: number } | null>(null);
  const latest = useRef({ place, rack });
  useLayoutEffect(() => {
    latest.current = { place, rack };
  });
  useEffect(() => {
    const isDrag = (event: globalThis.PointerEvent, start: { x: number; y: number }) =>
      Math.hypot(event.clientX - start.x, event.clientY - start.y) >= DRAG_PX_MIN;
    const move = (event: globalThis.PointerEvent) => {
      const start = press.current;
      if (start === null || !isDrag(event, start)) return;
      setDrag({ moduleId: start.moduleId, at: pointOn(board.current, latest.current.rack, event) });
    };
    const up = (event: globalThis.PointerEvent) => {
      const start = press.current;
      press.current = null;
      setDrag(null);
      if (start === null || !isDrag(event, start) || event.type !== 'pointerup') return;
      const cell = cellAt(latest.current.rack, pointOn(board.current, latest.current.rack, event));
      if (cell !== null) latest.current.place(start.moduleId, cell);
    };
    addEventListener('pointermove', move);
    addEventListener('pointerup', up);
    addEventListener('pointercancel', up);
    return () => {
      removeEventListener('pointermove', move);
      removeEventListener('pointerup', up);
      removeEventListener('pointercancel', up);
    };
  }, [board, press, latest]);
  const pointerDown = (event: PointerEvent, cell: number) => {
    const moduleId = moduleAt(rack, cell);
    if (moduleId !== null && event.button === 0) press.current = { moduleId, x: event.clientX, y: event.clientY };
  };
  return { drag, pointerDown };
}

function pointOn(board: HTMLDivElement | null, rack: Rack, event: { clientX: number; clientY: number }): Point {
  const box = board?.getBoundingClientRect();
  const size = boardSize(rack);
  if (box === undefined) return { x: -1, y: -1 };
  return { x: ((event.clientX - box.left) / box.width) * size.width, y: ((event.clientY - box.top) / box.height) * size.height };
}
