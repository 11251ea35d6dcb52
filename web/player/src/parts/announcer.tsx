import { type Session, timer } from '@dopamine-hero/sdk';
import { useEffect, useRef, useState } from 'react';
import { duration } from '../format';
import { isBetweenRounds } from '../pages/running';
import { useGame, useNow } from '../game';
import { chime } from '../sound';

export type Mark = 'start' | 'half' | 'minute' | 'end';

/** The marks that a session has passed. */
export function marksPassed(session: Session, nowMs: number): Mark[] {
  const marks: Mark[] = ['start'];
  const left = timer.leftMs(session, nowMs);
  const roundMs = timer.roundMs(session);
  if (left === null || roundMs === null) return marks;
  if (left <= roundMs / 2) marks.push('half');
  if (left <= 60_000) marks.push('minute');
  if (left <= 0) marks.push('end');
  return marks;
}

export function markWords(mark: Mark, session: Session, nowMs: number): string {
  const left = timer.leftMs(session, nowMs);
  switch (mark) {
    case 'start':
      return left === null ? 'The clock runs.' : `The clock runs. ${duration(left)} to go.`;
    case 'half':
      // Of the plan, not of the moment it is noticed: otherwise 2 and a half minutes are sometimes 2 and sometimes 3.
      return `Half is done. ${halfWords(timer.roundMs(session) ?? 0)} to go.`;
    case 'minute':
      return 'One minute to go.';
    case 'end':
      return isBetweenRounds(session) ? `Round ${session.round} is done. Take a break, or go on.` : 'The plan is done. Keep going, or finish.';
  }
}

/** Half of a plan of whole minutes. */
function halfWords(plannedMs: number): string {
  const minutes = Math.floor(plannedMs / 120_000);
  return plannedMs % 120_000 === 0 ? duration(plannedMs / 2) : `${minutes} and a half minutes`;
}

/** Says the four marks of a session to a screen reader, once each, and rings softly at the end. */
export function Announcer() {
  const { view } = useGame();
  const session = view.hero.focus.session;
  const now = useNow(1_000);
  const [words, setWords] = useState('');
  const said = useRef<{ startedAt: number; round: number; marks: Set<Mark> } | null>(null);

  useEffect(() => {
    if (session === null) {
      if (said.current !== null) setWords('The session has ended. Everything is kept.');
      said.current = null;
      return;
    }
    const passed = marksPassed(session, now);
    // The server's start replaces the local one by a moment: still the same session.
    const isSame = said.current !== null && Math.abs(said.current.startedAt - session.started_at_ms) < 10_000;
    // Each round of a pomodoro has its marks, and its chime.
    const isNextRound = isSame && said.current?.round !== session.round;
    if (!isSame || isNextRound) {
      const isNew = isNextRound || now - session.started_at_ms < 10_000;
      said.current = { startedAt: session.started_at_ms, round: session.round, marks: new Set(passed) };
      if (isNew) setWords(markWords('start', session, now));
      return;
    }
    const fresh = passed.filter((mark) => !said.current?.marks.has(mark)).at(-1);
    for (const mark of passed) said.current?.marks.add(mark);
    if (fresh === undefined) return;
    setWords(markWords(fresh, session, now));
    if (fresh === 'end') chime('end');
  }, [session, now]);

  return (
    <div className="visually-hidden" role="status" aria-live="polite" data-testid="announcer">
      {words}
    </div>
  );
}
