/**
 * What the player sees while commands are on their way: the last known hero with the wishes laid over it. No rule of the
 * game is run here; amounts, prices and times come from the server alone, and its word replaces all of this.
 */

import { focusMs, overtimeMs, waitsForAnswer } from './timer';
import type { Entry } from './queue';
import type { Command, Hero, Session, Task } from './protocol.gen';

export interface View {
  hero: Hero;
  /** Tasks with a wish on its way. */
  pendingTasks: ReadonlySet<number>;
  /** The session or break on the screen is not confirmed. */
  focusPending: boolean;
  /** Modules with a wish on its way: assemble, upgrade, sell, place. */
  pendingModules: ReadonlySet<string>;
}

interface Draft {
  hero: Hero;
  tasks: Set<number>;
  modules: Set<string>;
  focus: boolean;
}

/** A start that the server has answered already, or whose session it knows, is not drawn twice. */
const SAME_START_MS = 10_000;

export function project(hero: Hero, entries: readonly Entry[]): View {
  const draft: Draft = { hero, tasks: new Set(), modules: new Set(), focus: false };
  for (const entry of entries) lay(draft, entry);
  return { hero: draft.hero, pendingTasks: draft.tasks, pendingModules: draft.modules, focusPending: draft.focus };
}

function lay(draft: Draft, entry: Entry): void {
  const { body, at_ms: atMs } = entry;
  if (typeof body === 'string') {
    layPlain(draft, body, atMs);
  } else if ('start_focus' in body) {
    startFocus(draft, body.start_focus, atMs);
  } else if ('describe_focus' in body) {
    const { task_id, intention } = body.describe_focus;
    changeSession(draft, (session) => ({
      ...session,
      task_id: task_id ?? null,
      intention: intention ?? null,
    }));
  } else if ('create_task' in body) {
    createTask(draft, body.create_task, entry);
  } else if ('update_task' in body) {
    const { task_id, ...fields } = body.update_task;
    changeTask(draft, task_id, (task) => ({ ...task, ...definedFields(fields) }));
  } else if ('complete_task' in body) {
    changeTask(draft, body.complete_task.task_id, (task) => ({ ...task, done_at_ms: task.done_at_ms ?? atMs }));
  } else if ('reopen_task' in body) {
    changeTask(draft, body.reopen_task.task_id, (task) => ({ ...task, done_at_ms: null }));
  } else if ('delete_task' in body) {
    const id = body.delete_task.task_id;
    draft.hero = { ...draft.hero, tasks: draft.hero.tasks.filter((task) => task.task_id !== id && task.parent_id !== id) };
  } else if ('place_module' in body) {
    placeModule(draft, body.place_module.module_id, body.place_module.cell);
  } else {
    layProfile(draft, body);
  }
}

function layPlain(draft: Draft, kind: Extract<Command, string>, atMs: number): void {
  const stop = (state: Session['state']) => (session: Session) => ({
    ...session,
    focus_ms_at_anchor: focusMs(session, atMs),
    anchor_ms: atMs,
    state,
    progress: { ...session.progress, energy_rate_ue_per_s: 0, dopamine_rate_ud_per_s: 0 },
  });
  switch (kind) {
    case 'pause_focus':
      return changeSession(draft, stop('paused'));
    case 'interrupt_focus':
      return changeSession(draft, stop('interrupted'));
    case 'resume_focus':
      return changeSession(draft, (session) => ({ ...session, anchor_ms: atMs, state: 'running', auto_end_at_ms: null }));
    case 'keep_going':
      return keepGoing(draft, atMs);
    case 'end_focus':
    case 'cancel_focus':
      return setFocus(draft, { session: null });
    case 'start_break':
      if (draft.hero.focus.on_break !== null) return;
      return setFocus(draft, { on_break: { started_at_ms: atMs, planned_ms: 5 * 60_000 } });
    case 'end_break':
      return setFocus(draft, { on_break: null });
    default:
      return;
  }
}

/** A sign of life while the clock runs changes nothing; an answer to the end of the plan starts the clock again. */
function keepGoing(draft: Draft, atMs: number): void {
  const session = draft.hero.focus.session;
  if (session === null || !waitsForAnswer(session, atMs)) return;
  const counted = session.state === 'overtime' ? overtimeMs(session, atMs) : 0;
  const focused = focusMs(session, atMs) + counted;
  const rounds = session.mode !== 'flowtime' && 'pomodoro' in session.mode ? session.mode.pomodoro : null;
  const isLast = rounds === null || session.round >= rounds.rounds;
  setFocus(draft, {
    session: {
      ...session,
      state: 'running',
      anchor_ms: atMs,
      focus_ms_at_anchor: focused,
      planned_ms: isLast ? null : focused + rounds.planned_minutes * 60_000,
      round: isLast ? session.round : session.round + 1,
      auto_end_at_ms: null,
    },
  });
}

function setFocus(draft: Draft, change: Partial<Hero['focus']>): void {
  draft.hero = { ...draft.hero, focus: { ...draft.hero.focus, ...change } };
  draft.focus = true;
}

function changeSession(draft: Draft, change: (session: Session) => Session): void {
  const session = draft.hero.focus.session;
  if (session !== null) setFocus(draft, { session: change(session) });
}

type StartFocus = Extract<Command, { start_focus: unknown }>['start_focus'];

function startFocus(draft: Draft, start: StartFocus, atMs: number): void {
  const known = draft.hero.focus.session;
  if (known !== null && known.started_at_ms > atMs - SAME_START_MS) return;
  setFocus(draft, { session: localSession(start, atMs), on_break: null });
}

/** A session as it looks in its first moments. It earns nothing on the screen until the server says how fast. */
function localSession(start: StartFocus, atMs: number): Session {
  return {
    session_id: -1,
    revision: 0,
    state: 'running',
    mode: start.mode,
    category: start.category,
    task_id: start.task_id ?? null,
    intention: null,
    started_at_ms: atMs,
    anchor_ms: atMs,
    focus_ms_at_anchor: 0,
    planned_ms: plannedMinutes(start.mode) === null ? null : (plannedMinutes(start.mode) ?? 0) * 60_000,
    round: 1,
    auto_end_at_ms: null,
    interruptions: 0,
    progress: {
      session_id: -1,
      at_ms: atMs,
      focus_ms: 0,
      energy_me: 0,
      dopamine_md: 0,
      energy_rate_ue_per_s: 0,
      dopamine_rate_ud_per_s: 0,
      next_boundary_ms: null,
    },
  };
}

export function plannedMinutes(mode: StartFocus['mode']): number | null {
  if (mode === 'flowtime') return null;
  return 'countdown' in mode ? mode.countdown.planned_minutes : mode.pomodoro.planned_minutes;
}

type CreateTask = Extract<Command, { create_task: unknown }>['create_task'];

function createTask(draft: Draft, create: CreateTask, entry: Entry): void {
  const taskId = entry.temporary_id ?? -entry.key;
  const task: Task = {
    task_id: taskId,
    parent_id: create.parent_id ?? null,
    title: create.title,
    category: create.category,
    priority: create.priority,
    estimate_minutes: create.estimate_minutes,
    due_on: create.due_on ?? null,
    recurrence: create.recurrence ?? null,
    occurrence_on: null,
    created_at_ms: entry.at_ms,
    done_at_ms: null,
    focus_ms: 0,
    reward_me: 0,
  };
  // Between the event and the answer the real task is there already.
  const isThere = draft.hero.tasks.some((one) => one.title === task.title && Math.abs(one.created_at_ms - entry.at_ms) < 2_000);
  if (entry.cmd_seq !== null && isThere) return;
  draft.hero = { ...draft.hero, tasks: [...draft.hero.tasks, task] };
  draft.tasks.add(taskId);
}

function changeTask(draft: Draft, taskId: number, change: (task: Task) => Task): void {
  draft.tasks.add(taskId);
  const tasks = draft.hero.tasks.map((task) => (task.task_id === taskId ? change(task) : task));
  draft.hero = { ...draft.hero, tasks };
}

function definedFields<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
}

function placeModule(draft: Draft, moduleId: string, cell: number): void {
  const rack = draft.hero.rack;
  const others = rack.placements.filter((one) => one.module_id !== moduleId);
  if (others.some((one) => one.cell === cell)) return;
  draft.modules.add(moduleId);
  draft.hero = { ...draft.hero, rack: { ...rack, placements: [...others, { module_id: moduleId, cell }] } };
}

function layProfile(draft: Draft, body: Exclude<Command, string>): void {
  const profile = draft.hero.profile;
  const set = (change: Partial<Hero['profile']>) => {
    draft.hero = { ...draft.hero, profile: { ...profile, ...change } };
  };
  if ('rename_hero' in body) set({ name: body.rename_hero.name });
  else if ('set_daily_goal' in body) set({ daily_goal_minutes: body.set_daily_goal.minutes });
  else if ('set_rest_days' in body) set({ rest_weekdays: body.set_rest_days.weekdays });
  else if ('assemble_module' in body) draft.modules.add(body.assemble_module.module_id);
  else if ('upgrade_module' in body) draft.modules.add(body.upgrade_module.module_id);
  else if ('sell_module' in body) draft.modules.add(body.sell_module.module_id);
  else if ('remove_module' in body) {
    draft.modules.add(body.remove_module.module_id);
  }
}

/** The hero of a device that has never reached a server: enough to start the first five minutes. */
export function blankHero(nowMs: number, timeZone: string): Hero {
  return {
    hero_id: '',
    profile: {
      name: 'Hero',
      created_at_ms: nowMs,
      time_zone: timeZone,
      day_start_minutes: 240,
      next_time_zone: null,
      next_day_start_minutes: null,
      daily_goal_minutes: 25,
      rest_weekdays: [],
      vacation_until: null,
      cosmetics: [],
      equipped: [],
    },
    wallet: { energy_me: 0, dopamine_md: 0, lifetime_energy_me: 0, level: 1, level_xp: 0, next_level_xp: 40 },
    focus: { session: null, on_break: null, to_confirm: null },
    today: {
      date: new Date(nowMs).toISOString().slice(0, 10),
      starts_at_ms: nowMs,
      ends_at_ms: nowMs + 86_400_000,
      focus_ms: 0,
      goal_reached: false,
      task_energy_me: 0,
      active: false,
    },
    streak: { days: 0, longest_days: 0, active_days: 0, shields: 1, shields_max: 3 },
    tasks: [],
    modules: [],
    assembly: { slots: 1, jobs: [], blueprint: null },
    rack: {
      columns: 2,
      rows: 2,
      reach: 2,
      placements: [],
      cables: [],
      powered: [],
      dopamine_rate_ud_per_s: 0,
      energy_bonus_permille: 0,
      synergies: [],
      synergies_found: [],
    },
    presets: { slots: 3, next_slot_md: null, presets: [], queued_slot: null },
    achievements: [],
    statistics: {
      focus_ms: 0,
      sessions: 0,
      tasks_done: 0,
      comebacks: 0,
      focus_minutes_by_category: [0, 0, 0, 0, 0],
      days: [],
    },
  };
}
