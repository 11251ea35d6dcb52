/** Is it healthy, who is on, and how was it. */

import { useState } from 'react';
import type { HistoryPoint, Overview, Span } from '../api.gen';
import { useLive } from '../context';
import { healthOf, type Figure, LEVEL_WORDS, playOf } from '../levels';
import { useLoaded } from '../loaded';
import { Bar } from '../parts/bars';
import { Chip } from '../parts/chip';
import { Page, Panel } from '../parts/page';
import { Problem, Waiting } from '../parts/problem';
import { Time } from '../parts/time';
import { OverviewCharts } from './overview-charts';

export function OverviewPage() {
  const { overview, seenAtMs, line } = useLive();
  return (
    <Page title="Overview" about="This server, as it is now. Figures come by themselves.">
      {line === 'lost' && (
        <p className="notice" data-tone="bad" role="alert">
          Connection lost. {seenAtMs === null ? 'Nothing was seen yet.' : <>These figures were last seen <Time ms={seenAtMs} as="clock" /> and are old.</>} The page goes on trying.
        </p>
      )}
      {overview === null ? line !== 'lost' && <Waiting what="figures" /> : <Figures overview={overview} isOld={line === 'lost'} />}
      <History cores={overview?.cores ?? null} tickBudgetMs={overview?.simulation.tick_budget_ms ?? null} memoryLimit={overview?.memory_limit_bytes ?? null} />
    </Page>
  );
}

function Figures({ overview, isOld }: { overview: Overview; isOld: boolean }) {
  return (
    <div className="old-or-new" data-old={isOld}>
      <Panel title="Health">
        <FigureList figures={healthOf(overview)} />
      </Panel>
      <div className="section-play">
        <Panel title="Play">
          <FigureList figures={playOf(overview)} />
        </Panel>
      </div>
    </div>
  );
}

function FigureList({ figures }: { figures: readonly Figure[] }) {
  return (
    <dl className="figures">
      {figures.map((figure) => (
        <div key={figure.name} className="figure" data-level={figure.level}>
          <dt>{figure.name}</dt>
          <dd>
            <span className="figure-value">{figure.value}</span>
            {figure.level !== 'plain' && <Chip tone={figure.level}>{figure.word ?? LEVEL_WORDS[figure.level]}</Chip>}
            {figure.full !== undefined && <Bar permille={figure.full} tone={figure.level} />}
            <span className="quiet">{figure.beside}</span>
          </dd>
        </div>
      ))}
    </dl>
  );
}

const EVERY_MS: Readonly<Record<Span, number>> = { hour: 10_000, day: 60_000 };

interface HistoryProps {
  cores: number | null;
  tickBudgetMs: number | null;
  memoryLimit: number | null;
}

function History(props: HistoryProps) {
  const [span, setSpan] = useState<Span>('hour');
  const loaded = useLoaded<HistoryPoint[]>(`/v1/history?span=${span}`, { everyMs: EVERY_MS[span], isWatched: true });
  const points = loaded.data ?? [];
  return (
    <Panel
      title="History"
      actions={
        <fieldset className="switch">
          <legend className="visually-hidden">How far back</legend>
          {(['hour', 'day'] as const).map((one) => (
            <label key={one}>
              <input type="radio" name="span" checked={span === one} onChange={() => setSpan(one)} />
              <span>{one === 'hour' ? 'Last hour' : 'Last day'}</span>
            </label>
          ))}
        </fieldset>
      }
    >
      <Problem problem={loaded.problem} onRetry={loaded.reload} />
      {loaded.data === null && loaded.problem === null && <Waiting what="history" />}
      {loaded.data !== null && points.length < 2 && (
        <p className="quiet">No history yet: a point comes {span === 'hour' ? 'every 5 s' : 'every 2 min'}. It begins when the server starts.</p>
      )}
      {points.length >= 2 && <OverviewCharts points={points} {...props} />}
    </Panel>
  );
}
