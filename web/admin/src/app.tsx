/** The frame: where one can go, how the line is, who is logged in and for how long. */

import { type MouseEvent, useEffect, useState } from 'react';
import type { Role } from './api.gen';
import { useLive, usePanel } from './context';
import { countdown } from './format';
import type { LiveState } from './live';
import { LoginAgain } from './pages/login';
import { RoutedPage } from './pages/routed';
import { Chip, type Tone } from './parts/chip';
import { useTask } from './parts/field';
import { Problem } from './parts/problem';
import { Time, useSecond } from './parts/time';
import { mayDo } from './roles';
import { hrefOf, parseRoute, type Route, useHash } from './router';
import { endOf } from './session';
import { changeSettings, useSettings } from './settings';

const WARN_MS = 120_000;

type Place = Exclude<Route['page'], 'player' | 'version' | 'unknown' | 'upload'>;

/** In the order of how often they are needed. */
const PLACES: readonly { page: Place; words: string; needs: Role; also?: readonly Route['page'][] }[] = [
  { page: 'overview', words: 'Overview', needs: 'viewer' },
  { page: 'players', words: 'Players', needs: 'support', also: ['player'] },
  { page: 'approvals', words: 'Approvals', needs: 'operator' },
  { page: 'outages', words: 'Outages', needs: 'viewer' },
  { page: 'catalogue', words: 'Catalogue', needs: 'viewer', also: ['version', 'upload'] },
  { page: 'cost', words: 'Cost', needs: 'viewer' },
  { page: 'system', words: 'System', needs: 'viewer' },
  { page: 'operators', words: 'Operators', needs: 'owner' },
  { page: 'audit', words: 'Audit log', needs: 'operator' },
];

export function App() {
  const { session } = usePanel();
  const route = parseRoute(useHash());
  return (
    <>
      <div className="frame" inert={session.isOver}>
        <a className="jump" href="#main" onClick={jump}>
          Skip to the page
        </a>
        <Top />
        <Navigation page={route.page} />
        <main id="main" tabIndex={-1}>
          <SessionEnd />
          <RoutedPage route={route} />
        </main>
      </div>
      {session.isOver && <LoginAgain />}
    </>
  );
}

/** The address after the # is the page's own, so the link is followed by hand. */
function jump(event: MouseEvent): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

function Navigation({ page }: { page: Route['page'] }) {
  const { role } = usePanel().session;
  const [isOpen, setOpen] = useState(false);
  const places = PLACES.filter((place) => mayDo(role, place.needs));
  const here = PLACES.find((place) => place.page === page || place.also?.includes(page) === true);
  return (
    <nav aria-label="Pages" data-open={isOpen}>
      <button type="button" className="nav-toggle" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        {here?.words ?? 'Pages'} <span aria-hidden="true">▾</span>
      </button>
      <ul>
        {places.map((place) => (
          <li key={place.page}>
            <a href={hrefOf({ page: place.page })} aria-current={place === here ? 'page' : undefined} onClick={() => setOpen(false)}>
              {place.words}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function Top() {
  const { session } = usePanel();
  return (
    <header className="top">
      <a className="brand" href={hrefOf({ page: 'overview' })}>
        <img src="/icon.svg" alt="" width="26" height="26" />
        <span>
          Dopamine Hero <span className="quiet">operators</span>
        </span>
      </a>
      <Chip tone={session.environment === 'production' ? 'bad' : 'calm'}>{session.environment}</Chip>
      <Line />
      <div className="top-right">
        <Looks />
        <span className="who" title={`Role: ${session.role}`}>
          {session.name} <span className="quiet">{session.role}</span>
        </span>
        <Logout />
      </div>
    </header>
  );
}

export const LINE: Readonly<Record<LiveState['line'], { tone: Tone; words: string }>> = {
  connecting: { tone: 'plain', words: 'connecting' },
  live: { tone: 'good', words: 'live' },
  polling: { tone: 'watch', words: 'asking every 5 s' },
  lost: { tone: 'bad', words: 'connection lost' },
};

function Line() {
  const { line, seenAtMs } = useLive();
  const { tone, words } = LINE[line];
  return (
    <span className="line" role="status" data-testid="line">
      <Chip tone={tone}>{words}</Chip>
      {line === 'lost' && seenAtMs !== null && (
        <span className="quiet">
          last seen <Time ms={seenAtMs} as="clock" />
        </span>
      )}
    </span>
  );
}

function Looks() {
  const { theme, zone } = useSettings();
  return (
    <>
      <label className="look">
        <span className="visually-hidden">Time zone</span>
        <select value={zone} onChange={(event) => changeSettings({ zone: event.target.value === 'utc' ? 'utc' : 'local' })}>
          <option value="local">Local time</option>
          <option value="utc">UTC</option>
        </select>
      </label>
      <label className="look">
        <span className="visually-hidden">Colours</span>
        <select value={theme} onChange={(event) => changeSettings({ theme: event.target.value as 'system' | 'dark' | 'light' })}>
          <option value="system">As the system</option>
          <option value="dark">Dark</option>
          <option value="light">Light</option>
        </select>
      </label>
    </>
  );
}

function Logout() {
  const { store } = usePanel();
  const task = useTask();
  return (
    <>
      <button type="button" className="small" aria-disabled={task.isBusy} onClick={() => void task.run(() => store.logout())}>
        Log out
      </button>
      <Problem problem={task.problem} />
    </>
  );
}

/** Two minutes before the session ends, with the one button that helps. */
function SessionEnd() {
  const { store, session } = usePanel();
  const now = useSecond();
  const end = session.isOver ? null : endOf(session, now, WARN_MS);
  const isDue = end !== null && end.atMs <= now;
  useEffect(() => {
    // Only the server knows: another tab may have been busy.
    if (isDue) void store.load();
  }, [isDue, store]);
  if (end === null) return null;
  const left = countdown(end.atMs - now);
  return (
    <div className="banner" role="alert" data-testid="session-end">
      {end.why === 'idle' ? (
        <>
          <p>
            Nothing was done here for a while: the session ends in <span aria-live="off">{left}</span>. What you typed stays.
          </p>
          <button type="button" className="primary" onClick={() => void store.stay()}>
            Stay logged in
          </button>
        </>
      ) : (
        <p>
          A session lasts eight hours at the most: this one ends in <span aria-live="off">{left}</span>. What you typed stays; you will be asked to log in again.
        </p>
      )}
    </div>
  );
}
