/** What an operator chose for this browser: how it looks, and in which zone moments are shown. Nothing else is kept. */

import { WebStorage } from '@dopamine-hero/sdk';
import { useSyncExternalStore } from 'react';
import type { Zone } from './format';

export interface Settings {
  theme: 'system' | 'dark' | 'light';
  zone: Zone;
}

const KEY = 'dopamine-hero.operator-settings';
const storage = new WebStorage(typeof localStorage === 'undefined' ? null : localStorage);
const lightQuery = typeof matchMedia === 'undefined' ? null : matchMedia('(prefers-color-scheme: light)');
const listeners = new Set<() => void>();
let current: Settings = mergeSettings(kept());

function kept(): unknown {
  try {
    return JSON.parse(storage.get(KEY) ?? 'null');
  } catch {
    return null;
  }
}

/** Unknown or damaged values fall back one by one. */
export function mergeSettings(value: unknown): Settings {
  const { theme, zone } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  return {
    theme: theme === 'dark' || theme === 'light' ? theme : 'system',
    zone: zone === 'utc' ? 'utc' : 'local',
  };
}

export function changeSettings(change: Partial<Settings>): void {
  current = { ...current, ...change };
  storage.set(KEY, JSON.stringify(current));
  apply();
}

function apply(): void {
  const system = lightQuery?.matches === true ? 'light' : 'dark';
  document.documentElement.dataset['theme'] = current.theme === 'system' ? system : current.theme;
  for (const listener of listeners) listener();
}

export function followSystem(): void {
  apply();
  lightQuery?.addEventListener('change', apply);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useSettings(): Settings {
  return useSyncExternalStore(subscribe, () => current);
}

/** The theme that is shown, for what is drawn on a canvas and follows no style sheet. */
export function useTheme(): string {
  return useSyncExternalStore(subscribe, () => document.documentElement.dataset['theme'] ?? 'dark');
}
