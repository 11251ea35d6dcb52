import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EFFECT_MS_MAX, EFFECTS, isEffectOn, MOVING } from '../effects';
import { DEFAULT_SETTINGS, isMotionReduced, mergeSettings, type Settings } from '../settings';

const party: Settings = { ...DEFAULT_SETTINGS, celebration: 'party' };
const SWITCHES = { sound: 'sound', particles: 'particles', countUp: 'countUp', vibration: 'vibration' } as const;

describe('effects', () => {
  it('are all on when everything allows them', () => {
    for (const effect of EFFECTS) expect(isEffectOn(effect, party, false), effect).toBe(true);
  });

  it.each(MOVING)('%s obeys the wish of the system', (effect) => {
    expect(isEffectOn(effect, { ...party, motion: 'system' }, true)).toBe(false);
  });

  it.each(MOVING)('%s obeys the own switch, whatever the system says', (effect) => {
    for (const system of [true, false]) expect(isEffectOn(effect, { ...party, motion: 'reduced' }, system)).toBe(false);
  });

  it.each(MOVING)('%s: the own switch wins over the system', (effect) => {
    expect(isEffectOn(effect, { ...party, motion: 'full' }, true)).toBe(true);
  });

  it.each(Object.entries(SWITCHES))('%s has a switch of its own', (effect, name) => {
    expect(isEffectOn(effect as keyof typeof SWITCHES, { ...party, [name]: false }, false)).toBe(false);
  });

  it('silent celebrates nothing, but the end may still ring', () => {
    const silent: Settings = { ...party, celebration: 'silent' };
    for (const effect of ['particles', 'countUp', 'vibration', 'toast'] as const) {
      expect(isEffectOn(effect, silent, false), effect).toBe(false);
    }
    expect(isEffectOn('sound', silent, false)).toBe(true);
  });

  it('soft is the default and has no particles', () => {
    expect(DEFAULT_SETTINGS.celebration).toBe('soft');
    expect(isEffectOn('particles', DEFAULT_SETTINGS, false)).toBe(false);
    expect(isEffectOn('toast', DEFAULT_SETTINGS, false)).toBe(true);
  });

  it('low stimulation shows neither toasts nor a moving hero', () => {
    const calm: Settings = { ...party, lowStimulation: true };
    for (const effect of ['particles', 'heroMotion', 'toast'] as const) expect(isEffectOn(effect, calm, false)).toBe(false);
  });

  it('last at most a second and a half', () => {
    expect(EFFECT_MS_MAX).toBeLessThanOrEqual(1_500);
  });
});

describe('reduced motion', () => {
  it.each([
    ['system', true, true],
    ['system', false, false],
    ['reduced', false, true],
    ['full', true, false],
  ] as const)('%s with the system at %s is %s', (motion, system, expected) => {
    expect(isMotionReduced({ ...party, motion }, system)).toBe(expected);
  });

  const styles = join(import.meta.dirname, '../styles');

  it('is the only condition under which a style sheet moves anything', () => {
    for (const name of readdirSync(styles)) {
      const text = readFileSync(join(styles, name), 'utf8').replaceAll(/\/\*.*?\*\//gs, '');
      const outside = name === 'motion.css' ? withoutBlock(text, ":root[data-motion='full']") : text;
      expect(outside.match(/^\s*(animation|transition)(-[a-z]+)?\s*:/m), name).toBeNull();
    }
  });

  it('nothing that celebrates runs longer than allowed', () => {
    const text = readFileSync(join(styles, 'motion.css'), 'utf8');
    const once = [...text.matchAll(/animation: (\w+) ([\d.]+)s(?![^;]*infinite)/g)];
    expect(once.length).toBeGreaterThan(0);
    for (const [, name, seconds] of once) expect(Number(seconds) * 1_000, name).toBeLessThanOrEqual(EFFECT_MS_MAX);
  });

  it('nothing flashes: what repeats takes at least two seconds', () => {
    const text = readFileSync(join(styles, 'motion.css'), 'utf8');
    for (const [, name, seconds] of text.matchAll(/animation: (\w+) ([\d.]+)s[^;]*infinite/g)) {
      expect(Number(seconds), name).toBeGreaterThanOrEqual(2);
    }
  });
});

describe('sound and vibration', () => {
  it('have one door each', () => {
    const source = join(import.meta.dirname, '..');
    for (const entry of readdirSync(source, { recursive: true, encoding: 'utf8' })) {
      if (!/\.tsx?$/.test(entry) || entry.includes('test') || entry.endsWith('sound.ts')) continue;
      const text = readFileSync(join(source, entry), 'utf8');
      expect(text.includes('AudioContext') || text.includes('navigator.vibrate'), entry).toBe(false);
    }
  });
});

describe('settings', () => {
  it('that are damaged or from another version fall back one by one', () => {
    expect(mergeSettings(null)).toEqual(DEFAULT_SETTINGS);
    expect(mergeSettings({ sound: 'loud', theme: 'dark', unknown: 1 })).toEqual({ ...DEFAULT_SETTINGS, theme: 'dark' });
  });
});

function withoutBlock(text: string, opening: string): string {
  const start = text.indexOf(opening);
  let depth = 0;
  for (let index = start; index < text.length; index += 1) {
    if (text[index] === '{') depth += 1;
    if (text[index] === '}') depth -= 1;
    if (text[index] === '}' && depth === 0) return text.slice(0, start) + text.slice(index + 1);
  }
  return text;
}
