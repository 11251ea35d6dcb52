/**
 * The only gate to everything that moves, sounds or shakes. Each effect has a switch of its own, belongs to a level of
 * celebration, and the moving ones obey reduced motion, whether the system or the player asked for it.
 */

import { isMotionReduced, type Settings } from './settings';

export const EFFECTS = ['sound', 'particles', 'countUp', 'vibration', 'heroMotion', 'toast'] as const;
export type Effect = (typeof EFFECTS)[number];

/** These move something on the screen or in the hand. */
export const MOVING: readonly Effect[] = ['particles', 'countUp', 'vibration', 'heroMotion'];

/** Nothing that celebrates lasts longer. */
export const EFFECT_MS_MAX = 1_500;

export function isEffectOn(effect: Effect, settings: Settings, systemReduces: boolean): boolean {
  if (MOVING.includes(effect) && isMotionReduced(settings, systemReduces)) return false;
  const silent = settings.celebration === 'silent';
  switch (effect) {
    case 'sound':
      return settings.sound;
    case 'particles':
      return settings.particles && settings.celebration === 'party' && !settings.lowStimulation;
    case 'countUp':
      return settings.countUp && !silent;
    case 'vibration':
      return settings.vibration && !silent;
    case 'heroMotion':
      return !settings.lowStimulation;
    case 'toast':
      return !silent && !settings.lowStimulation;
  }
}
