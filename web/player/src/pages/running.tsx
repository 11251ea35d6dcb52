import { type Job, type Session, timer } from '@dopamine-hero/sdk';
import { useState } from 'react';
import { CANCEL_MS_MAX, endFocus, interruptFocus, toggleFocus } from '../actions';
import type { Mood } from '../art/hero-figure';
import { Scene } from '../art/scene';
import { type Catalogue, CATEGORY_WORDS, moduleName } from '../catalogue';
import { isEffectOn } from '../effects';
import { amount, clock, duration } from '../format';
import { useClient, useGame, useNow } from '../game';
import { Icon } from '../parts/icon';
import { systemReducesMotion, useSettings } from '../settings';

/** How often the numbers are drawn again; they are computed, not counted. */
const REDRAW_MS = 200;

export function Running({ catalogue }: { catalogue: Catalogue | null }) {
  const { view } = useGame();
  const settings = useSettings();
  const now = useNow(REDRAW_MS);
  const session = view.hero.focus.session;
  if (session === null) return null;
  const waits = timer.waitsForAnswer(session, now);
  const job = view.hero.assembly.jobs[0];
  return (
    <main className="running" data-state={waits ? 'overtime' : session.state} data-low={settings.lowStimulation}>
      <div className="running-side">
        {!settings.lowStimulation && (
          <Scene
            hero={view.hero}
            catalogue={catalogue}
            mood={moodOf(session, waits)}
            promise={false}
            building={job ? { moduleId: job.module_id, share: timer.jobShare(job, now) } : null}
          />
        )}
        <WhatOn key={session.started_at_ms} session={session} />
        {!settings.lowStimulation && view.hero.assembly.jobs.map((one) => <JobStrip key={one.job_id} job={one} now={now} catalogue={catalogue} />)}
      </div>
      <section className="clock card" aria-label="Timer">
        <TimerFace session={session} now={now} />
        <p className="clock-state">{stateWords(session, waits, now)}</p>
        <Counts session={session} now={now} />
        <div className="controls">
          <Controls session={session} waits={waits} now={now} />
        </div>
        <Lamps session={session} now={now} />
      </section>
    </main>
  );
}

function moodOf(session: Session, waits: boolean): Mood {
  if (waits) return 'glad';
  return session.state === 'running' ? 'focused' : 'resting';
}

export function stateWords(session: Session, waits: boolean, now: number): string {
  if (session.state === 'waiting') return `The break is over. Ready for the next round?${untilWords(session, now)}`;
  if (waits) {
    const question = isBetweenRounds(session) ? `Round ${session.round} is done. A break?` : 'The plan is done. Keep going, or finish?';
    return `${question}${untilWords(session, now)}`;
  }
  if (session.state === 'paused') return `Paused. Everything is kept.${untilWords(session, now)}`;
  if (session.state === 'interrupted') return `Pulled away. Coming back is worth +1 E.${untilWords(session, now)}`;
  if (timer.keptGoing(session)) return 'Still going. It all counts.';
  if (session.mode !== 'flowtime' && 'pomodoro' in session.mode) return `Round ${session.round} of ${session.mode.pomodoro.rounds}`;
  if (session.category !== 'none') return CATEGORY_WORDS[session.category].name;
  return 'Focus';
}

/** The end of a pomodoro round that is not the last. */
export function isBetweenRounds(session: Session): boolean {
  return session.mode !== 'flowtime' && 'pomodoro' in session.mode && session.round < session.mode.pomodoro.rounds;
}

/** The one number of the page. */
export function timerText(session: Session, now: number): string {
  if (session.state === 'waiting') return clock(timer.roundMs(session) ?? 0, 'up');
  const left = timer.leftMs(session, now);
  if (left === null) return clock(timer.focusMs(session, now), 'down');
  return left > 0 ? clock(left, 'up') : `+${clock(timer.overtimeMs(session, now), 'down')}`;
}

function untilWords(session: Session, now: number): string {
  if (session.auto_end_at_ms === null) return '';
  return ` Banked in ${duration(Math.max(0, session.auto_end_at_ms - now))} if you stay away.`;
}

export function TimerFace({ session, now }: { session: Session; now: number }) {
  const left = timer.leftMs(session, now);
  const roundMs = timer.roundMs(session);
  const share = left === null || roundMs === null ? null : Math.max(0, Math.min(1, left / roundMs));
  const text = timerText(session, now);
  return (
    <div className="timer-face">
      <svg viewBox="0 0 300 300" aria-hidden="true">
        <circle className="ring-track" cx="150" cy="150" r="138" />
        <circle
          className="ring-value"
          data-endless={share === null}
          cx="150"
          cy="150"
          r="138"
          pathLength="100"
          strokeDasharray={share === null ? '0.5 2' : `${share * 100} 100`}
          opacity={share === 0 ? 0 : 1}
          transform="rotate(-90 150 150)"
        />
      </svg>
      <span className="timer-digits" data-long={text.length > 5} role="timer" aria-label={`${text} ${timerWords(session, left)}`} data-testid="timer">
        {text}
      </span>
    </div>
  );
}

/** What the number is, for whoever does not see the ring. */
function timerWords(session: Session, left: number | null): string {
  if (session.state === 'waiting') return 'in the next round';
  if (left === null) return 'focused';
  return left > 0 ? 'left' : 'since the plan was done';
}

interface Lamp {
  atMs: number;
  words: string;
}

export function lampsOf(session: Session): Lamp[] {
  const lamps: Lamp[] = [
    { atMs: 10_000, words: 'Started' },
    { atMs: 60_000, words: 'It counts' },
    { atMs: 120_000, words: 'Ignition' },
  ];
  if (session.planned_ms === null) {
    lamps.push({ atMs: 600_000, words: '10 min' }, { atMs: 1_500_000, words: '25 min' });
  } else {
    lamps.push({ atMs: session.planned_ms - (timer.roundMs(session) ?? 0) / 2, words: 'Half' }, { atMs: session.planned_ms, words: 'Plan' });
  }
  return lamps.sort((a, b) => a.atMs - b.atMs);
}

function Lamps({ session, now }: { session: Session; now: number }) {
  const focused = timer.focusMs(session, now);
  return (
    <ol className="lamps" aria-label="Marks on the way">
      {lampsOf(session).map((lamp) => {
        const isLit = focused >= lamp.atMs;
        return (
          <li key={lamp.words} data-lit={isLit}>
            <span className="lamp" aria-hidden="true" />
            {lamp.words}
            <span className="visually-hidden">{isLit ? ', reached' : ', ahead'}</span>
          </li>
        );
      })}
    </ol>
  );
}

function Counts({ session, now }: { session: Session; now: number }) {
  const settings = useSettings();
  const isLive = useGame().link.state === 'live';
  const counts = isEffectOn('countUp', settings, systemReducesMotion());
  // Without the count-up the number still comes, once every ten seconds.
  const at = counts ? now : now - (now % 10_000);
  const energy = timer.energyMe(session.progress, at, isLive);
  const dopamine = timer.dopamineMd(session.progress, at, isLive);
  return (
    <p className="counts">
      <span className="energy">
        <Icon name="energy" />
        <span data-testid="session-energy">{amount(energy, 2)}</span> energy
      </span>
      {(dopamine > 0 || session.progress.dopamine_rate_ud_per_s > 0) && (
        <span className="dopamine">
          <Icon name="dopamine" />
          <span>{amount(dopamine, 2)}</span> dopamine
        </span>
      )}
    </p>
  );
}

function Controls({ session, waits, now }: { session: Session; waits: boolean; now: number }) {
  const client = useClient();
  if (waits) {
    return (
      <>
        {session.state === 'overtime' && isBetweenRounds(session) && (
          <button type="button" className="primary" onClick={() => client.send('start_break')}>
            <Icon name="cup" /> Take the break
          </button>
        )}
        <button type="button" className={isBetweenRounds(session) && session.state === 'overtime' ? '' : 'primary'} onClick={() => client.send('keep_going')}>
          <Icon name="play" /> {isBetweenRounds(session) ? `Start round ${session.round + 1}` : 'Keep going'}
        </button>
        <button type="button" onClick={() => endFocus(client)}>
          <Icon name="flag" /> Finish
        </button>
      </>
    );
  }
  const counting = timer.isCounting(session);
  const canCancel = now - session.started_at_ms < CANCEL_MS_MAX - 500;
  return (
    <>
      <button type="button" className="primary" onClick={() => toggleFocus(client)}>
        <Icon name={counting ? 'pause' : 'play'} /> {counting ? 'Pause' : session.state === 'interrupted' ? 'I am back' : 'Go on'}
      </button>
      {session.state !== 'interrupted' && (
        <button type="button" onClick={() => interruptFocus(client)}>
          <Icon name="away" /> Got pulled away
        </button>
      )}
      <button type="button" onClick={() => endFocus(client)}>
        <Icon name={canCancel ? 'close' : 'flag'} /> {canCancel ? 'Take it back' : 'End here'}
      </button>
    </>
  );
}

function WhatOn({ session }: { session: Session }) {
  const client = useClient();
  const { view } = useGame();
  const [words, setWords] = useState(session.intention ?? '');
  const tasks = view.hero.tasks.filter((task) => task.done_at_ms === null && task.task_id > 0);
  // The command replaces both, so what is not changed is said again.
  const describe = (change: { task_id?: number | null; intention?: string }) => {
    client.send({ describe_focus: { task_id: session.task_id, intention: session.intention, ...change } });
  };
  const say = () => {
    const intention = words.trim();
    if (intention !== '' && intention !== session.intention) describe({ intention });
  };
  return (
    <form
      className="what-on"
      onSubmit={(event) => {
        event.preventDefault();
        say();
      }}
    >
      <label>
        <span>What on?</span>
        <input value={words} maxLength={200} placeholder="optional" autoComplete="off" onChange={(event) => setWords(event.target.value)} onBlur={say} />
      </label>
      {tasks.length > 0 && (
        <label>
          <span className="visually-hidden">For a task</span>
          <select
            value={session.task_id ?? ''}
            onChange={(event) => {
              const task_id = Number(event.target.value);
              describe({ task_id: task_id > 0 ? task_id : null });
            }}
          >
            <option value="">for no task</option>
            {tasks.map((task) => (
              <option key={task.task_id} value={task.task_id}>
                {task.title}
              </option>
            ))}
          </select>
        </label>
      )}
    </form>
  );
}

export function JobStrip({ job, now, catalogue }: { job: Job; now: number; catalogue: Catalogue | null }) {
  const share = timer.jobShare(job, now);
  const name = moduleName(catalogue, job.module_id);
  return (
    <div className="job-strip" data-testid="job">
      <span>
        {name} is being assembled
        {job.speed_permille > 1_000 && <span className="quiet"> · ×{job.speed_permille / 1_000} while you focus</span>}
      </span>
      <progress max={1} value={share} aria-label={`Assembly of ${name}`} />
      <span className="quiet">{duration(timer.jobLeftMs(job, now))}</span>
    </div>
  );
}

/** On every other page while a session runs: the same clock, and the way back. */
export function RunningBar({ onOpen }: { onOpen: () => void }) {
  const { view } = useGame();
  const now = useNow(REDRAW_MS);
  const session = view.hero.focus.session;
  if (session === null) return null;
  return (
    <button type="button" className="running-bar" onClick={onOpen}>
      <span className="running-bar-clock">{timerText(session, now)}</span> {stateWords(session, timer.waitsForAnswer(session, now), now)} — back to the timer
    </button>
  );
}
