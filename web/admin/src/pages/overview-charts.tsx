/** The curves of the overview. The cursor of one is the cursor of all. */

import { useMemo } from 'react';
import type { HistoryPoint } from '../api.gen';
import { bytes, count, millis, percent, short } from '../format';
import { Chart } from '../parts/chart';

interface ChartsProps {
  points: readonly HistoryPoint[];
  cores: number | null;
  tickBudgetMs: number | null;
  memoryLimit: number | null;
}

const whole = (value: number) => count(Math.round(value));
const energy = (value: number) => short(value);
const bytesShort = (value: number) => bytes(value);

export function OverviewCharts({ points, cores, tickBudgetMs, memoryLimit }: ChartsProps) {
  const times = useMemo(() => points.map((point) => point.at_ms / 1_000), [points]);
  const lines = useMemo(() => linesOf(points, cores), [points, cores]);
  return (
    <div className="charts">
      <Chart title="Players" times={times} lines={lines.players} format={whole} atLeast={4} />
      <Chart
        title="Tick, p99"
        times={times}
        lines={lines.tick}
        format={millis}
        {...(tickBudgetMs === null ? {} : { limit: { value: tickBudgetMs, words: `may take ${millis(tickBudgetMs)}` } })}
      />
      <Chart title="Acknowledgement, p99" times={times} lines={lines.ack} format={millis} limit={{ value: 1_000, words: 'alert at 1.00 s' }} atLeast={10} />
      <Chart title="Energy given, an hour" times={times} lines={lines.energy} format={energy} atLeast={1_000} />
      <Chart title="Tasks and modules, an hour" times={times} lines={lines.done} format={whole} atLeast={4} />
      <Chart title="Journal, oldest unsaved" times={times} lines={lines.journal} format={millis} atLeast={10} />
      <Chart title="CPU of all cores" times={times} lines={lines.cpu} format={percent} atLeast={200} limit={{ value: 800, words: 'alert at 80 %' }} />
      <Chart
        title="Memory"
        times={times}
        lines={lines.memory}
        format={bytesShort}
        atLeast={64 * 1_024 * 1_024}
        {...(memoryLimit === null ? {} : { limit: { value: memoryLimit * 0.85, words: `alert at ${bytes(memoryLimit * 0.85)}` } })}
      />
    </div>
  );
}

function linesOf(points: readonly HistoryPoint[], cores: number | null) {
  const of = (name: string, colour: string, read: (point: HistoryPoint) => number | null) => ({ name, colour, values: points.map(read) });
  return {
    players: [
      of('connected', '--line-1', (point) => point.connections_open),
      of('heroes', '--line-2', (point) => point.heroes_in_memory),
      of('sessions', '--line-3', (point) => point.focus_sessions_open),
    ],
    tick: [of('tick', '--line-1', (point) => point.tick_p99_ms)],
    ack: [of('saved', '--line-2', (point) => point.ack_p99_ms)],
    energy: [of('energy', '--line-3', (point) => point.energy_per_hour_me)],
    done: [of('tasks', '--line-1', (point) => point.tasks_per_hour), of('modules', '--line-2', (point) => point.modules_per_hour)],
    journal: [of('age', '--line-4', (point) => point.journal_oldest_age_ms)],
    cpu: [of('cpu', '--line-1', (point) => point.cpu_permille / Math.max(1, cores ?? 1))],
    memory: [of('resident', '--line-2', (point) => point.memory_bytes)],
  };
}
