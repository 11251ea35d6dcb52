import type { Category, Confirmation, FocusMode, Hero, ToConfirm } from '@dopamine-hero/sdk';
import { useEffect, useRef, useState } from 'react';
import { startFocus, startMinutes } from '../actions';
import { Scene } from '../art/scene';
import { type Catalogue, CATEGORY_WORDS } from '../catalogue';
import { duration } from '../format';
import { useClient, useGame } from '../game';
import { Icon } from '../parts/icon';
import { RadioGroup, type RadioOption } from '../parts/radio-group';
import { QuickAdd, TaskRow, useOrderedTasks } from '../parts/tasks';
import { changeSettings, useSettings } from '../settings';

const CHOICES = [15, 25, 50] as const;
/** More would be a list, and a list is where starting ends. */
const TASKS_SHOWN = 3;

/** The very first screen: one button. */
export function FirstScreen({ catalogue, onLogin }: { catalogue: Catalogue | null; onLogin: () => void }) {
  const { view } = useGame();
  return (
    <main className="first">
      <Scene hero={view.hero} catalogue={catalogue} mood="ready" promise />
      <h1>Five minutes. That is all.</h1>
      <p className="lead">Press start and do something for five minutes. The rest comes by itself.</p>
      <StartButton />
      <p className="quiet">
        No account. Nothing to fill in.{' '}
        <button type="button" className="link" onClick={onLogin}>
          I have a hero already
        </button>
      </p>
    </main>
  );
}

export function Home({ catalogue, onOpenTasks }: { catalogue: Catalogue | null; onOpenTasks: () => void }) {
  const { view, synced } = useGame();
  const { lowStimulation } = useSettings();
  const tasks = useOrderedTasks().filter((task) => task.done_at_ms === null && task.parent_id === null);
  const shown = tasks.slice(0, lowStimulation ? 1 : TASKS_SHOWN);
  return (
    <main className="home" data-synced={synced}>
      {view.hero.focus.to_confirm !== null && <StillYou asked={view.hero.focus.to_confirm} />}
      {!lowStimulation && <Scene hero={view.hero} catalogue={catalogue} mood="ready" promise={false} />}
      <section className="card starter" aria-label="Start a session">
        <StartButton />
        <Modes />
      </section>
      {!lowStimulation && <Today hero={view.hero} />}
      <section className="card" aria-labelledby="home-tasks">
        <h2 id="home-tasks">
          {shown.length === 0 ? 'Anything on your mind?' : 'Up next'}
          {tasks.length > shown.length && (
            <button type="button" className="link" onClick={onOpenTasks}>
              all {tasks.length}
            </button>
          )}
        </h2>
        <ul className="tasks">
          {shown.map((task) => (
            <TaskRow key={task.task_id} task={task} />
          ))}
        </ul>
        <QuickAdd />
      </section>
    </main>
  );
}

/** Enter and Space work at once, without the page jumping to it. */
function StartButton() {
  const client = useClient();
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => button.current?.focus({ preventScroll: true }), []);
  return (
    <button ref={button} type="button" className="start" onClick={() => startMinutes(client, 5)}>
      Start 5 minutes
    </button>
  );
}

/** A long session asks once, afterwards, and takes any answer. */
function StillYou({ asked }: { asked: ToConfirm }) {
  const client = useClient();
  const [minutes, setMinutes] = useState(Math.floor((asked.ended_at_ms - asked.started_at_ms) / 60_000));
  const answer = (confirmation: Confirmation) => client.send({ confirm_focus: confirmation });
  return (
    <section className="card" aria-label="One question">
      <h2>That was a long one: {duration(asked.ended_at_ms - asked.started_at_ms)}. Still you?</h2>
      <div className="controls">
        <button type="button" className="primary" onClick={() => answer('yes')}>
          Yes, all of it
        </button>
        <NumberField label="Only the first minutes" value={minutes} min={1} max={minutes} onChange={setMinutes} />
        <button type="button" onClick={() => answer({ until: { at_ms: asked.started_at_ms + minutes * 60_000 } })}>
          Only those
        </button>
        <button type="button" className="link" onClick={() => answer('discard')}>
          None of it
        </button>
      </div>
    </section>
  );
}

type ModeName = 'countdown' | 'pomodoro' | 'flowtime';

const MODES: readonly RadioOption<ModeName>[] = [
  { value: 'countdown', words: 'Countdown' },
  { value: 'pomodoro', words: 'Pomodoro' },
  { value: 'flowtime', words: 'Flowtime' },
];

const CATEGORIES: readonly RadioOption<Category>[] = (['none', 'creative', 'analytical', 'physical', 'learning'] as const).map((value) => {
  return { value, words: CATEGORY_WORDS[value].name, mark: CATEGORY_WORDS[value].mark };
});

function Modes() {
  const client = useClient();
  const { category } = useSettings();
  const [mode, setMode] = useState<ModeName>('countdown');
  const [custom, setCustom] = useState(40);
  const [rounds, setRounds] = useState(4);
  const start = (chosen: FocusMode) => startFocus(client, chosen, category);
  return (
    <div className="modes">
      <RadioGroup label="Kind of session" look="segments" value={mode} options={MODES} onChange={setMode} />
      {mode === 'countdown' && (
        <div className="choices">
          {CHOICES.map((minutes) => (
            <button key={minutes} type="button" className="choice" onClick={() => startMinutes(client, minutes)}>
              {minutes} min
            </button>
          ))}
          <form
            className="custom"
            onSubmit={(event) => {
              event.preventDefault();
              startMinutes(client, custom);
            }}
          >
            <NumberField label="Minutes" value={custom} min={5} max={180} onChange={setCustom} />
            <button type="submit" className="choice">
              Start {custom} min
            </button>
          </form>
        </div>
      )}
      {mode === 'pomodoro' && (
        <form
          className="choices"
          onSubmit={(event) => {
            event.preventDefault();
            start({ pomodoro: { planned_minutes: 25, rounds } });
          }}
        >
          <NumberField label="Rounds" value={rounds} min={1} max={12} onChange={setRounds} />
          <button type="submit" className="choice">
            Start {rounds} × 25 min
          </button>
          <span className="quiet">Breaks of 5 min, each fourth one 15.</span>
        </form>
      )}
      {mode === 'flowtime' && (
        <div className="choices">
          <button type="button" className="choice" onClick={() => start('flowtime')}>
            Start without an end
          </button>
          <span className="quiet">The clock counts up until you stop it.</span>
        </div>
      )}
      <RadioGroup label="Kind of work" look="chips" value={category} options={CATEGORIES} onChange={(next) => changeSettings({ category: next })} />
    </div>
  );
}

export function NumberField(props: { label: string; value: number; min: number; max: number; onChange: (value: number) => void }) {
  const { label, value, min, max, onChange } = props;
  return (
    <label className="number">
      <span>{label}</span>
      <input
        type="number"
        inputMode="numeric"
        value={value}
        min={min}
        max={max}
        onChange={(event) => {
          const next = Math.round(Number(event.target.value));
          if (Number.isFinite(next)) onChange(Math.max(0, Math.min(max, next)));
        }}
        onBlur={() => onChange(Math.max(min, value))}
      />
    </label>
  );
}

function Today({ hero }: { hero: Hero }) {
  const goalMs = hero.profile.daily_goal_minutes * 60_000;
  const share = Math.min(1, hero.today.focus_ms / goalMs);
  return (
    <section className="card today" aria-label="Today">
      <div className="ring-small" role="img" aria-label={`${duration(hero.today.focus_ms)} of ${hero.profile.daily_goal_minutes} minutes today`}>
        <svg viewBox="0 0 60 60" aria-hidden="true">
          <circle className="ring-track" cx="30" cy="30" r="25" />
          <circle className="ring-value" cx="30" cy="30" r="25" pathLength="100" strokeDasharray={`${share * 100} 100`} opacity={share > 0 ? 1 : 0} transform="rotate(-90 30 30)" />
        </svg>
        <span>{Math.floor(hero.today.focus_ms / 60_000)}′</span>
      </div>
      <div>
        <p className="strong">{hero.today.goal_reached ? 'Goal reached today' : `Goal: ${hero.profile.daily_goal_minutes} min today`}</p>
        <p className="quiet">{hero.today.active ? 'Today already counts.' : 'Five minutes make today count.'}</p>
      </div>
      <div className="streak">
        <p className="strong">
          <Icon name="flame" /> {hero.streak.days} {hero.streak.days === 1 ? 'day' : 'days'}
        </p>
        <p className="quiet">
          <Icon name="shield" /> {hero.streak.shields} of {hero.streak.shields_max} shields
        </p>
      </div>
    </section>
  );
}
