/**
 * A session that was started while no server could be reached. When the device is back, the stretch that has passed is
 * reported as such, because a late "start" would begin at zero; what is left of the plan goes on as a new session.
 */

import { focusMs, isCounting } from './timer';
import { plannedMinutes, project, blankHero } from './optimistic';
import type { Command, FocusMode, Hero } from './protocol.gen';
import type { Entry } from './queue';

/** Less is not worth a report: the rules discard sessions under a minute, and the start just counts from now. */
const REPORT_MS_MIN = 60_000;
const PLAN_MINUTES_MIN = 5;

export interface OfflineStretch {
  /** Entries that the replacement stands for. */
  keys: number[];
  replacement: { body: Command; at_ms: number }[];
  reportedMs: number;
}

/** The first such session in the queue, or nothing. */
export function findOfflineStretch(entries: readonly Entry[], nowMs: number): OfflineStretch | null {
  const first = entries.findIndex((entry) => isUnsentStart(entry) && nowMs - entry.at_ms >= REPORT_MS_MIN);
  if (first < 0) return null;
  const rest = entries.slice(first + 1);
  const end = rest.findIndex((entry) => isUnsentStart(entry) || isEnd(entry.body));
  const belongs = end < 0 ? rest : rest.slice(0, isEnd(rest[end]?.body) ? end + 1 : end);
  const start = entries[first] as Entry;
  const group = [start, ...belongs.filter((entry) => isFocusCommand(entry.body))];
  return replaceGroup(start, group, nowMs);
}

function replaceGroup(start: Entry, group: readonly Entry[], nowMs: number): OfflineStretch {
  const keys = group.map((entry) => entry.key);
  const last = group.at(-1) as Entry;
  if (last.body === 'cancel_focus') return { keys, replacement: [], reportedMs: 0 };
  const ended = last.body === 'end_focus';
  const blank: Hero = blankHero(start.at_ms, 'UTC');
  const session = project(blank, ended ? group.slice(0, -1) : group).hero.focus.session;
  if (session === null) return { keys, replacement: [], reportedMs: 0 };

  const untilMs = ended ? last.at_ms : nowMs;
  const passed = focusMs(session, untilMs);
  const planned = session.planned_ms;
  const over = planned !== null && passed >= planned;
  const durationMs = over ? planned : passed;
  const replacement: OfflineStretch['replacement'] = [];
  if (durationMs >= REPORT_MS_MIN) {
    const report = {
      started_at_ms: Math.round(start.at_ms),
      duration_ms: Math.round(durationMs),
      category: session.category,
      task_id: session.task_id,
    };
    replacement.push({ body: { report_offline_focus: report }, at_ms: nowMs });
  }
  if (!ended && !over && isCounting(session)) {
    const mode = remaining(session.mode, passed);
    const body: Command = { start_focus: { mode, category: session.category, task_id: session.task_id } };
    replacement.push({ body, at_ms: nowMs });
    if (session.intention !== null) {
      const described = { task_id: session.task_id, intention: session.intention };
      replacement.push({ body: { describe_focus: described }, at_ms: nowMs });
    }
  }
  return { keys, replacement, reportedMs: durationMs >= REPORT_MS_MIN ? durationMs : 0 };
}

function remaining(mode: FocusMode, passedMs: number): FocusMode {
  const planned = plannedMinutes(mode);
  if (planned === null || mode === 'flowtime') return 'flowtime';
  const minutes = Math.max(PLAN_MINUTES_MIN, planned - Math.floor(passedMs / 60_000));
  if ('pomodoro' in mode) return { pomodoro: { planned_minutes: minutes, rounds: mode.pomodoro.rounds } };
  return { countdown: { planned_minutes: minutes } };
}

function isUnsentStart(entry: Entry): boolean {
  return entry.cmd_seq === null && typeof entry.body === 'object' && 'start_focus' in entry.body;
}

function isEnd(body: Command | undefined): boolean {
  return body === 'end_focus' || body === 'cancel_focus';
}

function isFocusCommand(body: Command): boolean {
  if (typeof body === 'object') return 'describe_focus' in body;
  return ['pause_focus', 'resume_focus', 'interrupt_focus', 'keep_going', 'end_focus', 'cancel_focus'].includes(body);
}
