/** What to draw at a moment of server time. Nothing here counts: every number follows from an anchor. */

import type { Break, Job, Progress, Session } from './protocol.gen';

/** Focused time in the session. */
export function focusMs(session: Session, nowMs: number): number {
  if (!isCounting(session)) return session.focus_ms_at_anchor;
  return session.focus_ms_at_anchor + Math.max(0, nowMs - session.anchor_ms);
}

/** Focus is being counted at this moment. */
export function isCounting(session: Session): boolean {
  return session.state === 'running';
}

/** What is left of the plan, or of the round; negative after it; nothing if there is no end. */
export function leftMs(session: Session, nowMs: number): number | null {
  return session.planned_ms === null ? null : session.planned_ms - focusMs(session, nowMs);
}

/** How long the plan is; in a pomodoro the round, because `planned_ms` adds up the rounds; nothing if there is no end. */
export function roundMs(session: Session): number | null {
  if (session.planned_ms === null || session.mode === 'flowtime' || !('pomodoro' in session.mode)) return session.planned_ms;
  return session.mode.pomodoro.planned_minutes * 60_000;
}

/** The plan is over and the clock waits for an answer, even if the server's word of it is still on its way. */
export function waitsForAnswer(session: Session, nowMs: number): boolean {
  if (session.state === 'overtime' || session.state === 'waiting') return true;
  const left = leftMs(session, nowMs);
  return session.state === 'running' && left !== null && left <= 0;
}

/** How long the clock has waited since the plan was over. "Keep going" makes it count. */
export function overtimeMs(session: Session, nowMs: number): number {
  if (session.state === 'overtime') return Math.max(0, nowMs - session.anchor_ms);
  return Math.max(0, -(leftMs(session, nowMs) ?? 0));
}

/** The plan was fulfilled and somebody chose to keep going: open-ended now, although it began with a plan. */
export function keptGoing(session: Session): boolean {
  return session.mode !== 'flowtime' && session.planned_ms === null;
}

/**
 * Energy of the session so far, in mE. `isLive` is whether the server would tell us of a new rate: then the number goes on
 * over a boundary, and the server's word replaces it; without a connection it is held there, because nobody knows.
 */
export function energyMe(progress: Progress, nowMs: number, isLive: boolean): number {
  return progress.energy_me + grown(progress, progress.energy_rate_ue_per_s, nowMs, isLive);
}

/** Dopamine of the session so far, in mD; see `energyMe`. */
export function dopamineMd(progress: Progress, nowMs: number, isLive: boolean): number {
  return progress.dopamine_md + grown(progress, progress.dopamine_rate_ud_per_s, nowMs, isLive);
}

function grown(progress: Progress, ratePerSecond: number, nowMs: number, isLive: boolean): number {
  const untilMs = isLive ? nowMs : Math.min(nowMs, progress.next_boundary_ms ?? nowMs);
  return Math.floor((ratePerSecond * Math.max(0, untilMs - progress.at_ms)) / 1_000_000);
}

/** How much of a job is done, 0 to 1. */
export function jobShare(job: Job, nowMs: number): number {
  if (job.work_ms <= 0) return 1;
  const done = job.done_ms_at_anchor + (Math.max(0, nowMs - job.anchor_ms) * job.speed_permille) / 1_000;
  return Math.min(1, Math.max(0, done / job.work_ms));
}

/** How long a job still takes at the speed of now. */
export function jobLeftMs(job: Job, nowMs: number): number {
  return Math.max(0, job.done_at_ms - nowMs);
}

/** What is left of a break; negative when it is over. */
export function breakLeftMs(onBreak: Break, nowMs: number): number {
  return onBreak.started_at_ms + onBreak.planned_ms - nowMs;
}
