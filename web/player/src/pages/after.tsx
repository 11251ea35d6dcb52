import { type Event, timer } from '@dopamine-hero/sdk';
import { endFocus, startMinutes } from '../actions';
import { AccountOffer } from '../account/cards';
import { Scene } from '../art/scene';
import { achievementWords, type Catalogue, moduleName } from '../catalogue';
import { clock, duration, price } from '../format';
import { useClient, useGame, useNow } from '../game';
import { gainLines } from '../parts/gains';
import { Icon } from '../parts/icon';
import type { Go } from '../parts/navigation';
import { JobStrip } from './running';

export interface Ended {
  focusMs: number;
  /** Level and achievements when it began: what is new is told here and not before. */
  level: number;
  achievements: readonly string[];
}

/** The end of a session. Big moments were kept for this page. */
export function Summary(props: { ended: Ended; catalogue: Catalogue | null; onClose: () => void; onGo: Go }) {
  const { ended, catalogue, onClose, onGo } = props;
  const client = useClient();
  const { view, earned } = useGame();
  const now = useNow(500);
  const { hero } = view;
  const starter = hero.modules.length > 0 && hero.rack.powered.length === 0;
  const isPatched = hero.rack.powered.length > 0;
  const isFirst = hero.statistics.sessions <= 1;
  const unlocked = hero.achievements.filter((one) => !ended.achievements.includes(one.achievement_id));
  return (
    <main className="summary">
      <Scene hero={hero} catalogue={catalogue} mood="glad" promise={false} />
      <section className="card">
        <h1 data-testid="summary">{duration(ended.focusMs)} of focus. All yours.</h1>
        <Gains events={earned} />
        {hero.wallet.level > ended.level && <p className="big-moment">Level {hero.wallet.level}</p>}
        {unlocked.map(({ achievement_id }) => {
          const spec = catalogue?.achievements.find((one) => one.id === achievement_id);
          return (
            <p key={achievement_id} className="big-moment">
              {spec?.name ?? achievement_id.replaceAll('_', ' ')}
              <span className="quiet">{spec ? ` · ${achievementWords(spec)}` : ''}</span>
            </p>
          );
        })}
        {hero.assembly.jobs.map((job) => (
          <JobStrip key={job.job_id} job={job} now={now} catalogue={catalogue} />
        ))}
        <div className="controls">
          {starter && (
            <button type="button" className="primary" autoFocus onClick={() => client.send('auto_patch')}>
              Patch your first module
            </button>
          )}
          {isFirst && isPatched && (
            <button type="button" className="primary" autoFocus onClick={() => onGo('rack')}>
              Look at your rack
            </button>
          )}
          {!starter && !(isFirst && isPatched) && (
            <>
              <button type="button" className="primary" autoFocus onClick={() => client.send('start_break')}>
                <Icon name="cup" /> Take a break
              </button>
              <button type="button" onClick={() => startMinutes(client, 5)}>
                Five more minutes
              </button>
            </>
          )}
          <button type="button" className="link" onClick={onClose}>
            {starter ? 'Later' : 'Done for now'}
          </button>
        </div>
        {isFirst && isPatched && (
          <p className="quiet">
            {moduleName(catalogue, hero.rack.powered[0] ?? '')} is powered. From the next session on it makes dopamine while you focus.
          </p>
        )}
      </section>
      <AccountOffer onGo={onGo} />
    </main>
  );
}

function Gains({ events }: { events: readonly Event[] }) {
  const lines = gainLines(events);
  if (lines.length === 0) return <p className="quiet">Banked.</p>;
  const total = lines.reduce((sum, line) => sum + line.energy_me, 0);
  return (
    <dl className="gains">
      {lines.map((line) => (
        <div key={line.words}>
          <dt>{line.words}</dt>
          <dd>
            {line.energy_me > 0 && <span className="energy">+{price(line.energy_me)} E</span>}
            {line.dopamine_md > 0 && <span className="dopamine"> +{price(line.dopamine_md)} D</span>}
          </dd>
        </div>
      ))}
      <div className="gains-total">
        <dt>together</dt>
        <dd className="energy">+{price(total)} E</dd>
      </div>
    </dl>
  );
}

export function BreakPage({ catalogue }: { catalogue: Catalogue | null }) {
  const client = useClient();
  const { view } = useGame();
  const now = useNow(250);
  const { session, on_break: onBreak } = view.hero.focus;
  if (onBreak === null) return null;
  const left = timer.breakLeftMs(onBreak, now);
  const share = Math.max(0, Math.min(1, left / onBreak.planned_ms));
  return (
    <main className="running" data-state="break">
      <div className="running-side">
        <Scene hero={view.hero} catalogue={catalogue} mood="resting" promise={false} />
      </div>
      <section className="clock card" aria-label="Break">
        <div className="timer-face">
          <svg viewBox="0 0 300 300" aria-hidden="true">
            <circle className="ring-track" cx="150" cy="150" r="138" />
            <circle className="ring-value" cx="150" cy="150" r="138" pathLength="100" strokeDasharray={`${share * 100} 100`} opacity={share === 0 ? 0 : 1} transform="rotate(-90 150 150)" />
          </svg>
          <span className="timer-digits" role="timer">
            {clock(Math.min(onBreak.planned_ms, left), 'up')}
          </span>
        </div>
        <p className="clock-state" role="status">{left > 0 ? 'Look out of the window. Drink something.' : 'The break is over whenever you like.'}</p>
        <div className="controls">
          <button type="button" className="primary" onClick={() => client.send('end_break')}>
            {session === null ? 'End the break' : `Start round ${session.round + 1}`}
          </button>
          {session === null ? (
            <button
              type="button"
              onClick={() => {
                client.send('end_break');
                startMinutes(client, 5);
              }}
            >
              Start 5 minutes
            </button>
          ) : (
            <button type="button" onClick={() => endFocus(client)}>
              <Icon name="flag" /> Finish
            </button>
          )}
        </div>
      </section>
    </main>
  );
}
