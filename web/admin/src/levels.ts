/** When a figure is fine, to be watched, or too much. The same limits as the alert rules have where they have one. */

import type { Overview } from './api.gen';
import { bytes, count, duration, many, millis, percent, short } from './format';

export type Level = 'good' | 'watch' | 'bad' | 'plain';

export const LEVEL_WORDS: Readonly<Record<Exclude<Level, 'plain'>, string>> = { good: 'fine', watch: 'watch', bad: 'too much' };

/** `part` of `whole` in thousandths; nothing for no whole. */
export function permille(part: number, whole: number): number {
  return whole <= 0 ? 0 : (part / whole) * 1_000;
}

function levelOf(value: number, watchAt: number, badAt: number): Level {
  return value >= badAt ? 'bad' : value >= watchAt ? 'watch' : 'good';
}

export interface Figure {
  name: string;
  value: string;
  /** What it is measured against. */
  beside: string;
  level: Level;
  /** Instead of the level's usual word. */
  word?: string;
  /** Thousandths of what it may be, for a bar. */
  full?: number;
}

const CPU_WATCH = 600;
const CPU_BAD = 800;
const MEMORY_WATCH = 700;
const MEMORY_BAD = 850;
const ACK_WATCH_MS = 250;
const ACK_BAD_MS = 1_000;
const AGE_WATCH_MS = 1_000;
const AGE_BAD_MS = 5_000;

/** How the server is, in the order in which one asks. */
export function healthOf(overview: Overview): Figure[] {
  const { simulation, journal } = overview;
  const tick = permille(simulation.tick_p99_ms ?? 0, simulation.tick_budget_ms);
  const cpu = overview.cpu_permille / Math.max(1, overview.cores);
  const memory = permille(overview.memory_bytes, overview.memory_limit_bytes);
  const queue = permille(journal.queue_events, journal.queue_events_max);
  return [
    readiness(overview),
    {
      name: 'Tick, p99',
      value: millis(simulation.tick_p99_ms),
      beside: `of ${millis(simulation.tick_budget_ms)} · ${many(simulation.tick_overruns, 'overrun')} in ${many(simulation.ticks, 'tick')}`,
      level: levelOf(tick, 500, 1_000),
      full: tick,
    },
    {
      name: 'Acknowledgement, p99',
      value: millis(overview.ack_p99_ms),
      beside: overview.ack_p99_ms === null ? 'nothing was saved in the last minute' : `from the command until it is saved; at most ${millis(ACK_BAD_MS)}`,
      level: overview.ack_p99_ms === null ? 'plain' : levelOf(overview.ack_p99_ms, ACK_WATCH_MS, ACK_BAD_MS),
    },
    {
      name: 'Journal, oldest unsaved',
      value: millis(journal.oldest_age_ms),
      beside: journal.read_only ? 'the store is away: commands are refused, timers go on' : `${count(journal.queue_events)} of ${count(journal.queue_events_max)} events wait · ${bytes(journal.queue_bytes)}`,
      level: journal.read_only ? 'bad' : worse(levelOf(journal.oldest_age_ms, AGE_WATCH_MS, AGE_BAD_MS), levelOf(queue, 500, 900)),
      ...(journal.read_only ? { word: 'read-only' } : {}),
      full: queue,
    },
    {
      name: 'CPU',
      value: percent(cpu),
      beside: `of ${many(overview.cores, 'core')}`,
      level: levelOf(cpu, CPU_WATCH, CPU_BAD),
      full: cpu,
    },
    {
      name: 'Memory',
      value: bytes(overview.memory_bytes),
      beside: `of ${bytes(overview.memory_limit_bytes)} · ${percent(memory)}`,
      level: levelOf(memory, MEMORY_WATCH, MEMORY_BAD),
      full: memory,
    },
    redis(overview.redis_up),
  ];
}

/** Who plays, and what comes of it. */
export function playOf(overview: Overview): Figure[] {
  const connections = permille(overview.connections_open, overview.connections_max);
  return [
    {
      name: 'Players connected',
      value: count(overview.connections_open),
      beside: `of ${count(overview.connections_max)} sockets`,
      level: levelOf(connections, 700, 900),
      full: connections,
    },
    { name: 'Heroes in memory', value: count(overview.heroes_in_memory), beside: many(overview.simulation.shards, 'shard'), level: 'plain' },
    { name: 'Focus sessions', value: count(overview.focus_sessions_open), beside: 'running or paused', level: 'plain' },
    { name: 'Energy, last hour', value: `${short(overview.energy_hour_me)} E`, beside: 'given to players', level: 'plain' },
    { name: 'Tasks done', value: count(overview.tasks_completed), beside: 'since the start', level: 'plain' },
    { name: 'Modules assembled', value: count(overview.modules_assembled), beside: 'since the start', level: 'plain' },
  ];
}

function readiness(overview: Overview): Figure {
  const isReady = overview.readiness === 'ready';
  return {
    name: 'Server',
    value: overview.readiness,
    beside: `${overview.node_name} · ${overview.version} · up for ${duration(overview.uptime_ms)}`,
    level: isReady ? 'good' : 'watch',
    word: isReady ? 'takes players' : 'takes no players',
  };
}

function redis(isUp: boolean | null): Figure {
  if (isUp === null) return { name: 'Redis', value: 'none', beside: 'one server needs none', level: 'plain' };
  return {
    name: 'Redis',
    value: isUp ? 'answers' : 'away',
    beside: isUp ? 'makes finding heroes faster' : 'slower, and nothing is lost',
    level: isUp ? 'good' : 'watch',
  };
}

function worse(one: Level, other: Level): Level {
  const order: Level[] = ['plain', 'good', 'watch', 'bad'];
  return order.indexOf(one) >= order.indexOf(other) ? one : other;
}
