import { useEffect, useLayoutEffect, useRef } from 'react';
import { useSettings } from '../settings';

export type Shortcut = 'toggle' | 'interrupt' | 'break' | 'add' | 'rack' | 'help' | 'back';

const KEYS: Record<string, Shortcut> = {
  ' ': 'toggle',
  i: 'interrupt',
  b: 'break',
  n: 'add',
  r: 'rack',
  '?': 'help',
  Escape: 'back',
};

export interface Pressed {
  key: string;
  hasModifier: boolean;
  /** Letters belong to a field that is written in. */
  inField: boolean;
  /** Space presses a focused button or ticks a box. */
  onControl: boolean;
}

/** Which wish a key press is, or nothing. Escape always works: it is not a letter that somebody could type by chance. */
export function shortcutFor(pressed: Pressed, enabled: boolean): Shortcut | null {
  if (pressed.hasModifier) return null;
  if (pressed.key === 'Escape') return 'back';
  if (!enabled || pressed.inField) return null;
  const key = pressed.key.length === 1 ? pressed.key.toLowerCase() : pressed.key;
  const shortcut = KEYS[key] ?? null;
  return shortcut === 'toggle' && pressed.onControl ? null : shortcut;
}

export function useShortcuts(run: (shortcut: Shortcut) => void): void {
  const { shortcuts } = useSettings();
  const latest = useRef(run);
  useLayoutEffect(() => {
    latest.current = run;
  });
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      const target = event.target instanceof HTMLElement ? event.target : null;
      const pressed: Pressed = {
        key: event.key,
        hasModifier: event.ctrlKey || event.metaKey || event.altKey,
        inField: target?.closest('input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]') !== null && target !== null,
        onControl: target?.closest('button, a, summary, input, [role=button], [role=gridcell]') !== null && target !== null,
      };
      const shortcut = shortcutFor(pressed, shortcuts);
      if (shortcut === null || event.defaultPrevented) return;
      event.preventDefault();
      latest.current(shortcut);
    };
    addEventListener('keydown', listen);
    return () => removeEventListener('keydown', listen);
  }, [shortcuts]);
}
