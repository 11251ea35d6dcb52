/** What buttons and keys have in common. */

import { type Category, type DopamineHero, type FocusMode, timer } from '@dopamine-hero/sdk';
import { settings } from './settings';
import { chime, unlockSound } from './sound';

export function startFocus(client: DopamineHero, mode: FocusMode, category: Category, taskId: number | null = null): void {
  unlockSound();
  chime('start');
  const { hero } = client.state.view;
  if (hero.focus.session !== null) return;
  client.send({ start_focus: { mode, category, task_id: taskId } });
}

export function startMinutes(client: DopamineHero, minutes: number, taskId: number | null = null): void {
  startFocus(client, { countdown: { planned_minutes: minutes } }, settings().category, taskId);
}

/** Space: start, pause, go on. */
export function toggleFocus(client: DopamineHero): void {
  const { session } = client.state.view.hero.focus;
  if (session === null) return startMinutes(client, 5);
  if (timer.waitsForAnswer(session, client.clock.nowMs())) return client.send('keep_going');
  client.send(timer.isCounting(session) ? 'pause_focus' : 'resume_focus');
}

export function interruptFocus(client: DopamineHero): void {
  const { session } = client.state.view.hero.focus;
  if (session?.state === 'running' || session?.state === 'paused') client.send('interrupt_focus');
}

/** In its first 10 s a session can be taken back as if it had not been started. */
export const CANCEL_MS_MAX = 10_000;

export function endFocus(client: DopamineHero): void {
  const { session } = client.state.view.hero.focus;
  if (session === null) return;
  const now = client.clock.nowMs();
  const focused = now - session.started_at_ms;
  // A second of room: the server's clock decides, and a free cancel that comes too late would be refused.
  client.send(focused < CANCEL_MS_MAX - 500 ? 'cancel_focus' : 'end_focus');
}

export function toggleBreak(client: DopamineHero): void {
  const { on_break: onBreak, session } = client.state.view.hero.focus;
  if (onBreak !== null) client.send('end_break');
  else if (session === null) client.send('start_break');
}

export function addTask(client: DopamineHero, title: string, parentId: number | null = null): void {
  const trimmed = title.trim().slice(0, 200);
  if (trimmed === '') return;
  client.send({
    create_task: {
      title: trimmed,
      category: settings().category,
      priority: 'medium',
      estimate_minutes: 0,
      parent_id: parentId,
    },
  });
}
