/** The catalogue as the server serves it, and what each of its numbers means in words. */

import { type Category, httpApi, sender, WebStorage } from '@dopamine-hero/sdk';
import { useEffect, useState } from 'react';

export type ModuleKind = 'generator' | 'multiplier' | 'modifier' | 'special';
export type Rarity = 'common' | 'rare' | 'epic' | 'legendary';

export type ModuleEffect =
  | { generate: { rate_ud_per_s: number } }
  | { early_boost: { factor_permille: number } }
  | { path_bonus: { bonus_permille: number } }
  | { energy: { bonus_permille: number } }
  | { category_energy: { category: Category; bonus_permille: number } }
  | { ramp_start: { position_ms: number } }
  | { interruption_relief: { ramp_ms: number } }
  | { task_reward: { bonus_permille: number } }
  | { break_reward: { bonus_me: number } }
  | { assembly_speed: { bonus_permille: number } }
  | { shield_capacity: { shields: number } }
  | { cable_reach: { cells: number } }
  | { room_bonus: { bonus_permille: number } }
  | { core: { bonus_permille: number } };

export interface ModuleSpec {
  id: string;
  name: string;
  kind: ModuleKind;
  rarity: Rarity;
  cost_me: number;
  hero_level: number;
  build_ms: number;
  inputs: number;
  effects: ModuleEffect[];
}

export interface AchievementSpec {
  id: string;
  name: string;
  counter: string;
  at_least: number;
  reward_me: number;
}

export interface CosmeticSpec {
  id: string;
  name: string;
  slot: 'cable' | 'skin';
  cost_md: number;
}

export interface Catalogue {
  version: number;
  modules: ModuleSpec[];
  achievements: AchievementSpec[];
  cosmetics: CosmeticSpec[];
  rack: { starters: string[] };
}

const KEY = 'dopamine-hero.catalogue';
const storage = new WebStorage(typeof localStorage === 'undefined' ? null : localStorage);

function isCatalogue(value: unknown): value is Catalogue {
  return typeof value === 'object' && value !== null && Array.isArray((value as Catalogue).modules);
}

function kept(): Catalogue | null {
  try {
    const value: unknown = JSON.parse(storage.get(KEY) ?? 'null');
    return isCatalogue(value) ? value : null;
  } catch {
    return null;
  }
}

/** The first wait for a server that does not answer or has not heard of the version; each next one is twice as long. */
const AGAIN_AFTER_MS = 5_000;
const AGAIN_AFTER_MS_MAX = 60_000;

export interface Loading {
  load(): Promise<unknown>;
  take(catalogue: Catalogue): void;
  /** Runs something later; what it returns cancels that. */
  after(delayMs: number, run: () => void): () => void;
}

/** Loads until this version comes. Another server may answer, which learns of it some seconds later. */
export function keepLoading(version: number, { load, take, after }: Loading): () => void {
  let wanted = true;
  let delayMs = AGAIN_AFTER_MS;
  let cancel = () => {};
  const again = () => {
    cancel = after(delayMs, () => void look());
    delayMs = Math.min(2 * delayMs, AGAIN_AFTER_MS_MAX);
  };
  const look = async () => {
    const value = await load().catch(() => null);
    if (!wanted) return;
    if (isCatalogue(value)) take(value);
    if (!isCatalogue(value) || value.version !== version) again();
  };
  void look();
  return () => {
    wanted = false;
    cancel();
  };
}

function laterInBrowser(delayMs: number, run: () => void): () => void {
  const timer = setTimeout(run, delayMs);
  return () => clearTimeout(timer);
}

/** The last known one at once, the one in force as soon as the server has said its version. */
export function useCatalogue(version: number | null): Catalogue | null {
  const [catalogue, setCatalogue] = useState<Catalogue | null>(kept);
  const isCurrent = catalogue !== null && (version === null || catalogue.version === version);
  useEffect(() => {
    if (isCurrent || version === null) return undefined;
    const api = httpApi(sender('', fetch.bind(globalThis)));
    const take = (value: Catalogue) => {
      storage.set(KEY, JSON.stringify(value));
      setCatalogue(value);
    };
    return keepLoading(version, { load: () => api.catalogue(), take, after: laterInBrowser });
  }, [isCurrent, version]);
  return catalogue;
}

export const KIND_WORDS: Record<ModuleKind, { one: string; many: string; does: string }> = {
  generator: { one: 'Generator', many: 'Generators', does: 'A signal begins here. Its rate is your dopamine while you focus.' },
  multiplier: { one: 'Multiplier', many: 'Multipliers', does: 'Raises every generator whose signal passes through it.' },
  modifier: { one: 'Modifier', many: 'Modifiers', does: 'Passes the signal on and changes how energy comes.' },
  special: { one: 'Special', many: 'Specials', does: 'Passes the signal on and changes something else.' },
};

export const RARITY_WORDS: Record<Rarity, { name: string; dots: number }> = {
  common: { name: 'Common', dots: 1 },
  rare: { name: 'Rare', dots: 2 },
  epic: { name: 'Epic', dots: 3 },
  legendary: { name: 'Legendary', dots: 4 },
};

export const CATEGORY_WORDS: Record<Category, { name: string; does: string; mark: string }> = {
  creative: { name: 'Creative', does: 'making something', mark: '✎' },
  analytical: { name: 'Analytical', does: 'thinking something through', mark: '△' },
  physical: { name: 'Physical', does: 'moving', mark: '◎' },
  learning: { name: 'Learning', does: 'taking something in', mark: '▤' },
  none: { name: 'Anything', does: 'not said', mark: '·' },
};

const percent = (permille: number) => `${(permille / 10).toLocaleString('en-US', { maximumFractionDigits: 1 })} %`;
const minutes = (ms: number) => `${Math.round(ms / 60_000)} min`;

/** One sentence for each effect, at module level 1. */
export function effectWords(effect: ModuleEffect): string {
  if ('generate' in effect) {
    const rate = ((effect.generate.rate_ud_per_s * 60) / 1_000_000).toLocaleString('en-US', { maximumFractionDigits: 2 });
    return `${rate} dopamine a minute of focus`;
  }
  if ('early_boost' in effect) return `×${effect.early_boost.factor_permille / 1_000} in the first 10 minutes of a session`;
  if ('path_bonus' in effect) return `+${percent(effect.path_bonus.bonus_permille)} for each generator that passes through`;
  if ('energy' in effect) return `+${percent(effect.energy.bonus_permille)} energy`;
  if ('category_energy' in effect) {
    const { category, bonus_permille } = effect.category_energy;
    return `+${percent(bonus_permille)} energy in ${CATEGORY_WORDS[category].name.toLowerCase()} sessions`;
  }
  if ('ramp_start' in effect) return `Sessions start ${minutes(effect.ramp_start.position_ms)} up the ramp`;
  if ('interruption_relief' in effect) return `An interruption costs ${minutes(effect.interruption_relief.ramp_ms)} less of the ramp`;
  if ('task_reward' in effect) return `Tasks pay ${percent(effect.task_reward.bonus_permille)} more`;
  if ('break_reward' in effect) return `+${effect.break_reward.bonus_me / 1_000} energy for each break taken`;
  if ('assembly_speed' in effect) return `Assembly is ${percent(effect.assembly_speed.bonus_permille)} faster`;
  if ('shield_capacity' in effect) return `Room for ${effect.shield_capacity.shields} more shield, and one at once`;
  if ('cable_reach' in effect) return `Cables reach ${effect.cable_reach.cells} cells`;
  if ('room_bonus' in effect) return `+${percent(effect.room_bonus.bonus_permille)} in company`;
  return `The core raises everything by ${percent(effect.core.bonus_permille)}`;
}

const COUNTER_WORDS: Record<string, (n: number) => string> = {
  sparks: (n) => (n === 1 ? 'One session of at least 2 minutes' : `${n} sessions of at least 2 minutes`),
  modules_built: (n) => (n === 1 ? 'Assemble a module' : `Assemble ${n} modules`),
  modules_powered: () => 'Have a powered module in the rack',
  focus_minutes: (n) => `${Math.round(n / 60)} hours of focus in total`,
  returns: (n) => `Come back ${n} times after an interruption`,
  welcome_backs: () => 'Come back after a week or more away',
  backed_tasks_done: (n) => `Finish ${n} tasks that you focused on`,
  frogs: () => 'Finish a task that waited a week, with focus',
  splits: () => 'Split a task in three or more and finish all parts',
  breaks: (n) => `Take ${n} breaks`,
  active_days: (n) => `${n} active days in total, in any rhythm`,
  categories_in_week: (n) => `${n} kinds of work within a week`,
  rare_modules: () => 'Own a rare module',
  epic_modules: () => 'Own an epic module',
  legendary_modules: () => 'Own a legendary module',
  synergies_at_once: (n) => `${n} synergies at the same time`,
  room_sessions: (n) => `${n} sessions in company`,
  rooms_hosted: (n) => `Host ${n} sessions in company`,
  presets_used: (n) => `Use ${n} different presets`,
  good_estimates: (n) => `${n} tasks close to their estimate`,
};

export function achievementWords(spec: AchievementSpec): string {
  return COUNTER_WORDS[spec.counter]?.(spec.at_least) ?? spec.counter.replaceAll('_', ' ');
}

export const SYNERGY_WORDS: Record<string, { name: string; does: string }> = {
  full_voice: { name: 'Full voice', does: 'generator, multiplier and modifier on one path to the core' },
  harmony: { name: 'Harmony', does: 'two different generators side by side' },
  quiet_space: { name: 'Quiet space', does: 'a legendary module with room around it' },
  spectrum: { name: 'Spectrum', does: 'a powered module of each rarity' },
  four_winds: { name: 'Four winds', does: 'all four category modules powered' },
  in_time: { name: 'In time', does: 'a clock next to three modules' },
};

export function moduleName(catalogue: Catalogue | null, moduleId: string): string {
  const words = moduleId.replace(/^(gen|mul|mod|spc)_/, '').replaceAll('_', ' ');
  return catalogue?.modules.find((spec) => spec.id === moduleId)?.name ?? words.charAt(0).toUpperCase() + words.slice(1);
}
