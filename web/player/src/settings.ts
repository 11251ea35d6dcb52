/** What the player chose for this device. Kept here only: it is about a screen and two ears, not about the hero. */

import { WebStorage } from '@dopamine-hero/sdk';
import { useSyncExternalStore } from 'react';
import { isEffectOn } from './effects';

export interface Settings {
  theme: 'system' | 'dark' | 'light' | 'contrast';
  /** The own switch wins over the system's wish. */
  motion: 'system' | 'full' | 'reduced';
  celebration: 'silent' | 'soft' | 'party';
  sound: boolean;
  particles: boolean;
  countUp: boolean;
  vibration: boolean;
  shortcuts: boolean;
  /** Timer and one task. */
  lowStimulation: boolean;
  textPercent: 100 | 125 | 150 | 200;
  category: 'creative' | 'analytical' | 'physical' | 'learning' | 'none';
}

export const DEFAULT_SETTINGS: Settings = {
  theme: 'system',
  motion: 'system',
  celebration: 'soft',
  sound: true,
  particles: true,
  countUp: true,
  vibration: true,
  shortcuts: true,
  lowStimulation: false,
  textPercent: 100,
  category: 'none',
};

const KEY = 'dopamine-hero.settings';
const storage = new WebStorage(typeof localStorage === 'undefined' ? null : localStorage);
const listeners = new Set<() => void>();
let current: Settings = read();

/** Unknown or damaged values fall back one by one. */
export function mergeSettings(kept: unknown): Settings {
  if (typeof kept !== 'object' || kept === null) return DEFAULT_SETTINGS;
  const merged: Record<string, unknown> = { ...DEFAULT_SETTINGS };
  for (const [name, value] of Object.entries(kept)) {
    if (name in merged && typeof value === typeof merged[name]) merged[name] = value;
  }
  return merged as unknown as Settings;
}

function read(): Settings {
  try {
    return mergeSettings(JSON.parse(storage.get(KEY) ?? 'null'));
  } catch {
    return DEFAULT_SETTINGS;
  }
}

export function settings(): Settings {
  return current;
}

export function changeSettings(change: Partial<Settings>): void {
  current = { ...current, ...change };
  storage.set(KEY, JSON.stringify(current));
  applyToPage(current);
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useSettings(): Settings {
  return useSyncExternalStore(subscribe, settings);
}

const reducedQuery = typeof matchMedia === 'undefined' ? null : matchMedia('(prefers-reduced-motion: reduce)');
const lightQuery = typeof matchMedia === 'undefined' ? null : matchMedia('(prefers-color-scheme: light)');
const contrastQuery = typeof matchMedia === 'undefined' ? null : matchMedia('(prefers-contrast: more)');

export function systemReducesMotion(): boolean {
  return reducedQuery?.matches ?? false;
}

/** Style sheets look at these attributes, and only at these. */
export function applyToPage(chosen: Settings): void {
  const root = document.documentElement;
  const system = contrastQuery?.matches ? 'contrast' : lightQuery?.matches ? 'light' : 'dark';
  root.dataset['theme'] = chosen.theme === 'system' ? system : chosen.theme;
  root.dataset['motion'] = isEffectOn('heroMotion', chosen, systemReducesMotion()) ? 'full' : 'reduced';
  root.style.fontSize = `${chosen.textPercent}%`;
}

export function isMotionReduced(chosen: Settings, systemReduces: boolean): boolean {
  return chosen.motion === 'reduced' || (chosen.motion === 'system' && systemReduces);
}

export function followSystem(): void {
  applyToPage(current);
  for (const query of [reducedQuery, lightQuery, contrastQuery]) {
    query?.addEventListener('change', () => applyToPage(current));
  }
}
