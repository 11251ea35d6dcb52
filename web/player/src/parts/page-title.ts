import { timer } from '@dopamine-hero/sdk';
import { useEffect } from 'react';
import { clock } from '../format';
import { useGame, useNow } from '../game';
import { timerText } from '../pages/running';

const NAME = 'Dopamine Hero';
const SIZE = 64;

/** What is left, in the tab's title and as a pie in its icon. */
export function usePageTitle(): void {
  const { view } = useGame();
  const { session, on_break: onBreak } = view.hero.focus;
  const now = useNow(1_000);
  let title = NAME;
  let share: number | null = null;
  if (session !== null && onBreak === null) {
    const left = timer.leftMs(session, now);
    const isStopped = session.state === 'paused' || session.state === 'interrupted';
    title = `${isStopped ? '❚❚ ' : ''}${timerText(session, now)} · ${NAME}`;
    const roundMs = timer.roundMs(session);
    share = left === null || roundMs === null ? 1 : Math.max(0, left / roundMs);
  } else if (onBreak !== null) {
    title = `${clock(Math.min(onBreak.planned_ms, timer.breakLeftMs(onBreak, now)), 'up')} break · ${NAME}`;
  }
  useEffect(() => {
    document.title = title;
  }, [title]);
  const step = share === null ? null : Math.round(share * 48);
  useEffect(() => {
    const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
    if (link === null) return;
    link.href = step === null ? '/icon.svg' : pie(step / 48);
  }, [step]);
}

function pie(share: number): string {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = SIZE;
  const pen = canvas.getContext('2d');
  if (pen === null) return '/icon.svg';
  const middle = SIZE / 2;
  pen.fillStyle = '#1b1b2b';
  pen.beginPath();
  pen.arc(middle, middle, middle, 0, 2 * Math.PI);
  pen.fill();
  pen.fillStyle = '#ffb648';
  pen.beginPath();
  pen.moveTo(middle, middle);
  pen.arc(middle, middle, middle - 7, -Math.PI / 2, -Math.PI / 2 + 2 * Math.PI * share);
  pen.fill();
  return canvas.toDataURL('image/png');
}
