/** What changed between two heroes, field by field. */

import { applyPatch, type Hero, type HeroPatch } from '@dopamine-hero/sdk';
import { duration, exact, moment, type Zone } from './format';

export interface Changed {
  /** Such as `wallet.energy_me` or `tasks[12].title`. */
  path: string;
  from: string | null;
  to: string | null;
}

/** What names an item of a list, so that one that moved is the same one. */
const NAMES = ['task_id', 'module_id', 'job_id', 'achievement_id', 'slot', 'date', 'cell'] as const;

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function nameOf(item: unknown, index: number): string {
  if (!isRecord(item)) return String(index);
  const name = NAMES.find((one) => item[one] !== undefined);
  return name === undefined ? String(index) : String(item[name]);
}

function flatten(value: unknown, path: string, into: Map<string, string>): void {
  if (Array.isArray(value)) {
    const isPlain = value.every((item) => typeof item !== 'object' || item === null);
    if (isPlain) into.set(path, value.join(', '));
    else for (const [index, item] of value.entries()) flatten(item, `${path}[${nameOf(item, index)}]`, into);
  } else if (isRecord(value)) {
    for (const [name, inner] of Object.entries(value)) flatten(inner, path === '' ? name : `${path}.${name}`, into);
  } else if (value !== undefined) {
    into.set(path, String(value));
  }
}

export function changes(from: unknown, to: unknown): Changed[] {
  const before = new Map<string, string>();
  const after = new Map<string, string>();
  flatten(from, '', before);
  flatten(to, '', after);
  return [...new Set([...before.keys(), ...after.keys()])]
    .map((path) => ({ path, from: before.get(path) ?? null, to: after.get(path) ?? null }))
    .filter((one) => one.from !== one.to);
}

/** What an event did to a hero: `before` holds the sections that it changed, as they were. Balances come first. */
export function eventChanges(hero: Hero, before: HeroPatch): Changed[] {
  const isWallet = (one: Changed) => one.path.startsWith('wallet.');
  const all = changes(applyPatch(hero, before), hero);
  return [...all.filter(isWallet), ...all.filter((one) => !isWallet(one))];
}

/** Numbers below it are a length of time, those above it a moment. */
const MOMENT_MS_MIN = 1_000_000_000_000;

/** A field as an operator reads it; what its unit is stands at the end of its name. */
export function fieldWords(path: string, value: string, zone: Zone): string {
  if (value === 'null') return 'none';
  const number = /^-?\d+$/.test(value) ? Number(value) : null;
  const unit = /_(me|md|ms|ms_at_anchor|at_anchor)$/.exec(path)?.[1];
  if (number === null || unit === undefined) return value;
  if (unit === 'me') return `${exact(number)} E`;
  if (unit === 'md') return `${exact(number)} D`;
  return number >= MOMENT_MS_MIN ? moment(number, zone) : duration(number);
}
