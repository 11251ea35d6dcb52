import type { Hero, Profile as ProfileFields } from '@dopamine-hero/sdk';
import { type FormEvent, useState } from 'react';
import { AccountCard, GuestCard } from '../account/cards';
import { useAuth } from '../account/session';
import { achievementWords, type Catalogue, CATEGORY_WORDS } from '../catalogue';
import { duration, price, shortDate, WEEKDAYS } from '../format';
import { useClient, useGame } from '../game';
import { Icon } from '../parts/icon';
import type { Go } from '../parts/navigation';
import { NumberField } from './home';

export function Profile({ catalogue, onGo }: { catalogue: Catalogue | null; onGo: Go }) {
  const { hero } = useGame().view;
  const isMine = useAuth().kind === 'account';
  return (
    <main className="profile">
      <h1>{hero.profile.name}</h1>
      {isMine && <AccountCard onGo={onGo} />}
      <Level hero={hero} />
      <div className="two">
        <StreakCard hero={hero} />
        <Totals hero={hero} />
      </div>
      <Month hero={hero} />
      <Achievements hero={hero} catalogue={catalogue} />
      <HeroSettings key={hero.hero_id} hero={hero} />
      {!isMine && <GuestCard onGo={onGo} />}
    </main>
  );
}

function Level({ hero }: { hero: Hero }) {
  const { wallet } = hero;
  const xp = Math.floor(wallet.lifetime_energy_me / 1_000);
  const next = wallet.next_level_xp;
  return (
    <section className="card" aria-label="Level">
      <p className="level-line">
        <span className="level-number">Level {wallet.level}</span>
        <span className="quiet">{next === null ? 'the highest there is' : `${(next - xp).toLocaleString('en-US')} energy to level ${wallet.level + 1}`}</span>
      </p>
      <progress max={Math.max(1, (next ?? xp) - wallet.level_xp)} value={xp - wallet.level_xp} aria-label={`Level ${wallet.level}`} />
    </section>
  );
}

function StreakCard({ hero }: { hero: Hero }) {
  const { streak } = hero;
  return (
    <section className="card" aria-label="Streak">
      <h2>
        <Icon name="flame" /> {streak.days} {streak.days === 1 ? 'day' : 'days'}
      </h2>
      <p className="shields" role="img" aria-label={`${streak.shields} of ${streak.shields_max} shields`}>
        {Array.from({ length: streak.shields_max }, (_, index) => (
          <span key={index} data-full={index < streak.shields}>
            <Icon name="shield" />
          </span>
        ))}
      </p>
      <p className="quiet">
        Longest {streak.longest_days}, active days {streak.active_days}. A missed day takes a shield; without one, half the streak stays.
      </p>
    </section>
  );
}

function Totals({ hero }: { hero: Hero }) {
  const { statistics } = hero;
  const categories = ['creative', 'analytical', 'physical', 'learning', 'none'] as const;
  const most = Math.max(1, ...statistics.focus_minutes_by_category);
  return (
    <section className="card" aria-label="In total">
      <h2>{duration(statistics.focus_ms)} of focus</h2>
      <p className="quiet">
        {statistics.sessions} sessions, {statistics.tasks_done} tasks, {statistics.comebacks} comebacks
      </p>
      <ul className="bars">
        {categories.map((one, index) => {
          const minutes = statistics.focus_minutes_by_category[index] ?? 0;
          return (
            <li key={one}>
              <span>{CATEGORY_WORDS[one].name}</span>
              <meter min={0} max={most} value={minutes} aria-label={`${CATEGORY_WORDS[one].name}: ${minutes} minutes`} />
              <span className="quiet">{duration(minutes * 60_000)}</span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

const DAYS_SHOWN = 30;

/** The last 30 dates up to today, with or without anything in them. */
export function lastDays(hero: Hero): { date: string; focusMs: number; energyMe: number }[] {
  const today = Date.parse(`${hero.today.date}T00:00:00Z`);
  return Array.from({ length: DAYS_SHOWN }, (_, index) => {
    const date = new Date(today - (DAYS_SHOWN - 1 - index) * 86_400_000).toISOString().slice(0, 10);
    const day = hero.statistics.days.find((one) => one.date === date);
    return { date, focusMs: day?.focus_ms ?? 0, energyMe: day?.energy_me ?? 0 };
  });
}

function Month({ hero }: { hero: Hero }) {
  const days = lastDays(hero);
  const goal = hero.profile.daily_goal_minutes * 60_000;
  const top = Math.max(goal * 1.2, ...days.map((day) => day.focusMs));
  const y = (ms: number) => 100 - (ms / top) * 92;
  const active = days.filter((day) => day.focusMs > 0).length;
  return (
    <section className="card" aria-label="The last 30 days">
      <h2>
        The last 30 days <span className="quiet">{active} with focus</span>
      </h2>
      <svg className="month" viewBox="0 0 600 122" role="img" aria-label={`Focus on ${active} of the last 30 days`}>
        <line className="month-goal" x1="0" x2="600" y1={y(goal)} y2={y(goal)} />
        {days.map((day, index) => (
          <rect
            key={day.date}
            className="month-day"
            data-goal={day.focusMs >= goal}
            x={index * 20 + 3}
            width="14"
            rx="4"
            y={day.focusMs > 0 ? Math.min(96, y(day.focusMs)) : 97}
            height={day.focusMs > 0 ? Math.max(4, 100 - y(day.focusMs)) : 3}
          >
            <title>{`${shortDate(day.date)}: ${duration(day.focusMs)}, ${price(day.energyMe)} E`}</title>
          </rect>
        ))}
        <text x="2" y="118">
          {shortDate(days[0]?.date ?? hero.today.date)}
        </text>
        <text x="598" y="118" textAnchor="end">
          today
        </text>
        <text x="598" y={y(goal) - 4} textAnchor="end">
          goal
        </text>
      </svg>
    </section>
  );
}

function Achievements({ hero, catalogue }: { hero: Hero; catalogue: Catalogue | null }) {
  if (catalogue === null) return null;
  const unlocked = new Map(hero.achievements.map((one) => [one.achievement_id, one.at_ms]));
  const sorted = [...catalogue.achievements].sort((a, b) => Number(unlocked.has(b.id)) - Number(unlocked.has(a.id)));
  return (
    <section className="card" aria-label="Achievements">
      <h2>
        Achievements <span className="quiet">{unlocked.size} of {catalogue.achievements.length}</span>
      </h2>
      <ul className="achievements">
        {sorted.map((spec) => {
          const at = unlocked.get(spec.id);
          const progress = progressWords(spec.counter, spec.at_least, hero);
          return (
            <li key={spec.id} data-unlocked={at !== undefined}>
              <span className="medal" aria-hidden="true">
                {at === undefined ? null : <Icon name="check" />}
              </span>
              <span>
                <strong>{spec.name}</strong>
                <span className="quiet">
                  {achievementWords(spec)} · +{price(spec.reward_me)} E
                  {at === undefined ? (progress === null ? '' : ` · ${progress}`) : ` · ${new Date(at).toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })}`}
                </span>
              </span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

/** For the counters that the hero's own numbers show. */
function progressWords(counter: string, atLeast: number, hero: Hero): string | null {
  const { statistics, streak, rack } = hero;
  const known: Record<string, number> = {
    focus_minutes: Math.floor(statistics.focus_ms / 60_000),
    active_days: streak.active_days,
    returns: statistics.comebacks,
    synergies_at_once: rack.synergies.length,
  };
  const value = known[counter];
  if (value === undefined || atLeast <= 1) return null;
  if (counter === 'focus_minutes') return `${Math.floor(value / 60)} of ${Math.round(atLeast / 60)} h so far`;
  return `${Math.min(value, atLeast)} of ${atLeast} so far`;
}

const REST_DAYS_MAX = 2;

const submit = (run: () => void) => (event: FormEvent) => {
  event.preventDefault();
  run();
};

function HeroSettings({ hero }: { hero: Hero }) {
  const client = useClient();
  const { profile } = hero;
  const [name, setName] = useState(profile.name);
  const [goal, setGoal] = useState(profile.daily_goal_minutes);
  return (
    <section className="card hero-settings" aria-label="Your hero">
      <h2>Your hero</h2>
      <form onSubmit={submit(() => client.send({ rename_hero: { name: name.trim() } }))}>
        <label>
          <span>Name</span>
          <input value={name} maxLength={40} onChange={(event) => setName(event.target.value)} />
        </label>
        <button type="submit" disabled={name.trim() === '' || name.trim() === profile.name}>
          Save
        </button>
      </form>
      <form onSubmit={submit(() => client.send({ set_daily_goal: { minutes: Math.max(5, goal) } }))}>
        <NumberField label="Daily goal, minutes" value={goal} min={5} max={240} onChange={setGoal} />
        <button type="submit" disabled={goal === profile.daily_goal_minutes}>
          Save
        </button>
      </form>
      <ZoneForm profile={profile} />
      <RestDays profile={profile} />
      <Vacation profile={profile} />
    </section>
  );
}

function ZoneForm({ profile }: { profile: ProfileFields }) {
  const client = useClient();
  const [zone, setZone] = useState(profile.time_zone);
  const [dayStart, setDayStart] = useState(profile.day_start_minutes);
  const isSame = zone === profile.time_zone && dayStart === profile.day_start_minutes;
  return (
    <form onSubmit={submit(() => client.send({ set_time_zone: { time_zone: zone, day_start_minutes: dayStart } }))}>
      <label>
        <span>Time zone</span>
        <input list="time-zones" value={zone} onChange={(event) => setZone(event.target.value)} />
      </label>
      <label>
        <span>My day starts at</span>
        <select value={dayStart} onChange={(event) => setDayStart(Number(event.target.value))}>
          {[0, 60, 120, 180, 240, 300, 360].map((minutes) => (
            <option key={minutes} value={minutes}>
              {`0${minutes / 60}:00`}
            </option>
          ))}
        </select>
      </label>
      {/* Outside of the label: inside, its four hundred names would be read as part of it. */}
      <datalist id="time-zones">
          {Intl.supportedValuesOf('timeZone').map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </datalist>
      <button type="submit" disabled={isSame}>
        Save
      </button>
      {profile.next_time_zone !== null && <p className="quiet">From the next day on: {profile.next_time_zone}</p>}
    </form>
  );
}

function RestDays({ profile }: { profile: ProfileFields }) {
  const client = useClient();
  const toggle = (weekday: number) => {
    const has = profile.rest_weekdays.includes(weekday);
    const next = has ? profile.rest_weekdays.filter((one) => one !== weekday) : [...profile.rest_weekdays, weekday].slice(-REST_DAYS_MAX);
    client.send({ set_rest_days: { weekdays: next.sort((a, b) => a - b) } });
  };
  return (
    <div>
      <p>
        Rest days <span className="quiet">up to two; they never break a streak</span>
      </p>
      <div className="chips">
        {WEEKDAYS.map((words, index) => (
          <button key={words} type="button" className="chip" aria-pressed={profile.rest_weekdays.includes(index + 1)} onClick={() => toggle(index + 1)}>
            {words}
          </button>
        ))}
      </div>
    </div>
  );
}

function Vacation({ profile }: { profile: ProfileFields }) {
  const client = useClient();
  const [days, setDays] = useState(7);
  if (profile.vacation_until === null) {
    return (
      <form onSubmit={submit(() => client.send({ start_vacation: { days: Math.max(1, days) } }))}>
        <NumberField label="Vacation from today, days" value={days} min={1} max={30} onChange={setDays} />
        <button type="submit">Start</button>
      </form>
    );
  }
  return (
    <p>
      On vacation until {shortDate(profile.vacation_until)}. The streak waits.{' '}
      <button type="button" className="link" onClick={() => client.send('end_vacation')}>
        Back early
      </button>
    </p>
  );
}
