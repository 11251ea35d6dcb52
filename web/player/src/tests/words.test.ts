import type { ClientState, Event, Session, Task } from '@dopamine-hero/sdk';
import { describe, expect, it } from 'vitest';
import { achievementWords, effectWords } from '../catalogue';
import { amount, clock, duration, perMinute, price, shortDate } from '../format';
import { moveCursor } from '../pages/rack-board';
import { lampsOf, stateWords, timerText } from '../pages/running';
import { missingWords } from '../pages/workshop';
import { marksPassed, markWords } from '../parts/announcer';
import { gainLines, gainWords, teamWords } from '../parts/gains';
import { recurrenceWords, toggleWeekday } from '../parts/recurrence';
import { type Pressed, shortcutFor } from '../parts/shortcuts';
import { statusWords } from '../parts/status';
import { isDue, orderTasks } from '../parts/tasks';

describe('numbers', () => {
  it('a remaining time begins at its plan and ends at zero', () => {
    expect(clock(300_000, 'up')).toBe('5:00');
    expect(clock(299_001, 'up')).toBe('5:00');
    expect(clock(299_000, 'up')).toBe('4:59');
    expect(clock(0, 'up')).toBe('0:00');
    expect(clock(-5, 'down')).toBe('0:00');
    expect(clock(3_723_000, 'down')).toBe('1:02:03');
  });

  it('are short', () => {
    expect(duration(40_000)).toBe('40 s');
    expect(duration(1_500_000)).toBe('25 min');
    expect(duration(4_800_000)).toBe('1 h 20 min');
    expect(amount(12_345)).toBe('12.3');
    expect(amount(999, 2)).toBe('0.99');
    expect(amount(1_234_567)).toBe('1,234');
    expect(price(30_000)).toBe('30');
    expect(perMinute(4_000)).toBe('0.24');
    expect(shortDate('2026-03-09')).toBe('9 Mar');
  });
});

const session: Session = {
  session_id: 1, revision: 1, state: 'running', mode: { countdown: { planned_minutes: 5 } }, category: 'none', task_id: null,
  intention: null, started_at_ms: 0, anchor_ms: 0, focus_ms_at_anchor: 0, planned_ms: 300_000, round: 1, auto_end_at_ms: null,
  interruptions: 0,
  progress: {
    session_id: 1, at_ms: 0, focus_ms: 0, energy_me: 0, dopamine_md: 0, energy_rate_ue_per_s: 0, dopamine_rate_ud_per_s: 0,
    next_boundary_ms: null,
  },
};

describe('a session in words', () => {
  it('shows one number, also after the plan', () => {
    expect(timerText(session, 1_000)).toBe('4:59');
    expect(timerText({ ...session, state: 'overtime', focus_ms_at_anchor: 300_000, anchor_ms: 300_000 }, 365_000)).toBe('+1:05');
    expect(timerText({ ...session, mode: 'flowtime', planned_ms: null }, 61_000)).toBe('1:01');
  });

  it('says what silence does after the plan, and what comes after a round', () => {
    const over: Session = { ...session, state: 'overtime', focus_ms_at_anchor: 300_000, anchor_ms: 300_000, auto_end_at_ms: 1_200_000 };
    expect(stateWords(over, true, 300_000)).toBe('The plan is done. Keep going, or finish? Banked in 15 min if you stay away.');
    expect(markWords('end', over, 300_000)).toBe('The plan is done. Keep going, or finish.');
    const round: Session = { ...over, mode: { pomodoro: { planned_minutes: 25, rounds: 2 } }, auto_end_at_ms: null };
    expect(stateWords(round, true, 300_000)).toBe('Round 1 is done. A break?');
    expect(markWords('end', round, 300_000)).toBe('Round 1 is done. Take a break, or go on.');
    expect(markWords('end', { ...round, round: 2 }, 300_000)).toBe('The plan is done. Keep going, or finish.');
    expect(timerText({ ...round, state: 'waiting' }, 900_000)).toBe('25:00');
  });

  it('says half of the plan, whenever it is noticed', () => {
    for (const now of [150_000, 150_900]) expect(markWords('half', session, now)).toBe('Half is done. 2 and a half minutes to go.');
    expect(markWords('half', { ...session, planned_ms: 3_000_000 }, 1_500_600)).toBe('Half is done. 25 min to go.');
  });

  it('lights its lamps in order', () => {
    expect(lampsOf(session).map((lamp) => lamp.words)).toEqual(['Started', 'It counts', 'Ignition', 'Half', 'Plan']);
    const marks = lampsOf({ ...session, planned_ms: null }).map((lamp) => lamp.atMs);
    expect(marks).toEqual([...marks].sort((a, b) => a - b));
  });

  it('is announced at the start, half, one minute and the end', () => {
    expect(marksPassed(session, 1_000)).toEqual(['start']);
    expect(marksPassed(session, 150_000)).toEqual(['start', 'half']);
    expect(marksPassed(session, 240_000)).toEqual(['start', 'half', 'minute']);
    expect(marksPassed(session, 300_000)).toEqual(['start', 'half', 'minute', 'end']);
    expect(marksPassed({ ...session, planned_ms: null }, 9_000_000)).toEqual(['start']);
  });

  it('has its marks in each round of a pomodoro', () => {
    const second: Session = {
      ...session, mode: { pomodoro: { planned_minutes: 5, rounds: 2 } }, round: 2, planned_ms: 600_000, focus_ms_at_anchor: 300_000,
    };
    expect(marksPassed(second, 1_000)).toEqual(['start']);
    expect(marksPassed(second, 150_000)).toEqual(['start', 'half']);
    expect(lampsOf(second).find((lamp) => lamp.words === 'Half')?.atMs).toBe(450_000);
  });

  it('adds up what it gave, a line a cause', () => {
    const event = (cause: string | null, energy_me: number): Event => ({ seq: 1, at_ms: 0, kind: 'x', cause, energy_me, dopamine_md: 0, subject: null });
    expect(gainWords(event('ignition', 3_000), true)).toBe('+3 E · ignition');
    expect(gainWords(event('assembly', -30_000), false)).toBeNull();
    expect(gainWords(event('achievement', 10_000), false)).toBe('+10 E · achievement');
    expect(gainWords(event('achievement', 10_000), true)).toBeNull();
    expect(gainWords(event('focus', 10_000), true)).toBeNull();
    expect(gainLines([event('focus', 12_000), event('ignition', 3_000), event('focus', 500)])).toEqual([
      { words: 'focus', energy_me: 12_500, dopamine_md: 0 },
      { words: 'ignition', energy_me: 3_000, dopamine_md: 0 },
    ]);
  });
});

describe('what the team did', () => {
  const corrected = (energy_me: number, dopamine_md: number): Event => ({
    seq: 9, at_ms: 0, kind: 'balance_corrected', cause: 'correction', energy_me, dopamine_md, subject: null, note: 'Lost in the outage',
  });

  it('is said with its reason, and not as a gain', () => {
    expect(teamWords(corrected(500_000, 0))).toBe('The team gave you 500 E. “Lost in the outage”');
    expect(teamWords(corrected(-1_500, 2_000))).toBe('The team gave you 2 D and took 1.5 E back. “Lost in the outage”');
    expect(teamWords(corrected(-1_000, -2_000))).toBe('The team took 1 E and 2 D back. “Lost in the outage”');
    expect(teamWords({ ...corrected(1, 1), kind: 'bonus_paid' })).toBeNull();
    expect(gainWords(corrected(500_000, 0), false)).toBeNull();
  });
});

describe('keys', () => {
  const press = (key: string, change: Partial<Pressed> = {}): Pressed => ({ key, hasModifier: false, inField: false, onControl: false, ...change });

  it.each([
    [' ', 'toggle'],
    ['i', 'interrupt'],
    ['I', 'interrupt'],
    ['b', 'break'],
    ['n', 'add'],
    ['r', 'rack'],
    ['?', 'help'],
    ['Escape', 'back'],
  ])('%s is %s', (key, shortcut) => {
    expect(shortcutFor(press(key), true)).toBe(shortcut);
  });

  it('belong to a field that is written in, and to a focused button', () => {
    expect(shortcutFor(press('n', { inField: true }), true)).toBeNull();
    expect(shortcutFor(press(' ', { onControl: true }), true)).toBeNull();
    expect(shortcutFor(press('r', { onControl: true }), true)).toBe('rack');
    expect(shortcutFor(press('r', { hasModifier: true }), true)).toBeNull();
  });

  it('can be switched off, but not the way back', () => {
    for (const key of [' ', 'i', 'b', 'n', 'r', '?']) expect(shortcutFor(press(key), false)).toBeNull();
    expect(shortcutFor(press('Escape'), false)).toBe('back');
  });

  it('move in the rack and down to the core', () => {
    expect(moveCursor('ArrowRight', 0, 2, 2)).toBe(1);
    expect(moveCursor('ArrowRight', 1, 2, 2)).toBe(1);
    expect(moveCursor('ArrowDown', 1, 2, 2)).toBe(3);
    expect(moveCursor('ArrowDown', 3, 2, 2)).toBe(4);
    expect(moveCursor('ArrowUp', 4, 2, 2)).toBe(2);
    expect(moveCursor('x', 0, 2, 2)).toBeNull();
  });
});

describe('the status line', () => {
  const state = (change: Partial<ClientState>): ClientState =>
    ({ link: { state: 'live' }, known: true, synced: true, unconfirmed: 0, readOnly: false, ...change }) as ClientState;

  it.each([
    [{}, 'All saved'],
    [{ unconfirmed: 2 }, 'Saving 2'],
    [{ readOnly: true }, 'Saving paused'],
    [{ link: { state: 'connecting' }, synced: false }, 'Syncing'],
    [{ link: { state: 'connecting' }, known: false, synced: false }, 'Connecting'],
    [{ link: { state: 'waiting', retry_at_ms: 0, online: false }, unconfirmed: 3 }, 'Offline · 3 to save'],
    [{ link: { state: 'waiting', retry_at_ms: 0, online: true } }, 'Reconnecting'],
    [{ link: { state: 'signed_out' } }, 'Signed out'],
    [{ link: { state: 'erasing' } }, 'Hidden'],
  ] as [Partial<ClientState>, string][])('%j says %s', (change, words) => {
    expect(statusWords(state(change)).words).toBe(words);
  });
});

describe('lists', () => {
  it('tasks: open before done, then date, importance, age', () => {
    const task = (task_id: number, change: Partial<Task>): Task => ({
      task_id, parent_id: null, title: '', category: 'none', priority: 'medium', estimate_minutes: 0, due_on: null,
      recurrence: null, occurrence_on: null, created_at_ms: task_id, done_at_ms: null, focus_ms: 0, reward_me: 0, ...change,
    });
    const tasks = [
      task(1, { done_at_ms: 5 }),
      task(2, {}),
      task(3, { priority: 'high' }),
      task(4, { due_on: '2026-01-01' }),
      task(5, { done_at_ms: 9 }),
    ];
    expect(orderTasks(tasks).map((one) => one.task_id)).toEqual([4, 3, 2, 5, 1]);
  });

  it('a rule has words, and keeps one weekday', () => {
    expect(recurrenceWords(null)).toBe('');
    expect(recurrenceWords({ every_days: { days: 1 } })).toBe('every day');
    expect(recurrenceWords({ every_days: { days: 3 } })).toBe('every 3 days');
    expect(recurrenceWords({ weekdays: { weekdays: [5, 1, 3] } })).toBe('Mon, Wed, Fri');
    expect(recurrenceWords({ weekdays: { weekdays: [1, 2, 3, 4, 5] } })).toBe('Mon to Fri');
    expect(recurrenceWords({ weekdays: { weekdays: [6, 7] } })).toBe('Sat, Sun');
    expect(recurrenceWords({ weekdays: { weekdays: [1, 2, 3, 4, 5, 6, 7] } })).toBe('every day');
    expect(toggleWeekday([1, 5], 3)).toEqual([1, 3, 5]);
    expect(toggleWeekday([1, 5], 1)).toEqual([5]);
    expect(toggleWeekday([5], 5)).toEqual([5]);
  });

  it('a task that repeats is due when one of its dates has come', () => {
    const rule = { weekdays: { weekdays: [7] } };
    expect(isDue({ recurrence: null, occurrence_on: null } as Task)).toBe(true);
    expect(isDue({ recurrence: rule, occurrence_on: null } as Task)).toBe(false);
    expect(isDue({ recurrence: rule, occurrence_on: '2026-03-08' } as Task)).toBe(true);
  });

  it('a module says what is missing, the first thing first', () => {
    const spec = { id: 'x', name: 'X', kind: 'generator' as const, rarity: 'common' as const, cost_me: 80_000, hero_level: 3, build_ms: 1, inputs: 0, effects: [] };
    expect(missingWords(spec, { level: 1, energyMe: 0, freeSlots: 0 })).toBe('from level 3 on');
    expect(missingWords(spec, { level: 3, energyMe: 20_000, freeSlots: 0 })).toBe('60 E to go');
    expect(missingWords(spec, { level: 3, energyMe: 80_000, freeSlots: 0 })).toBe('the bench is in use');
    expect(missingWords(spec, { level: 3, energyMe: 80_000, freeSlots: 1 })).toBeNull();
  });

  it('effects and achievements have words', () => {
    expect(effectWords({ generate: { rate_ud_per_s: 5_000 } })).toBe('0.3 dopamine a minute of focus');
    expect(effectWords({ path_bonus: { bonus_permille: 150 } })).toBe('+15 % for each generator that passes through');
    expect(achievementWords({ id: 'x', name: 'X', counter: 'breaks', at_least: 20, reward_me: 0 })).toBe('Take 20 breaks');
  });
});
