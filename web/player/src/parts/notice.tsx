/** What the operators tell everybody: one quiet line above the page, until it is over, taken back or waved away. */

import { type Notice, WebStorage } from '@dopamine-hero/sdk';
import { useEffect, useState } from 'react';
import { NoticeBanner } from '../account/cards';
import { useClient, useGame } from '../game';

const KEY = 'dopamine-hero.notice-dismissed';
const storage = new WebStorage(typeof localStorage === 'undefined' ? null : localStorage);
/** Timers of browsers end at 2^31 ms. */
const LOOK_AGAIN_MS_MAX = 3_600_000;

/** The notice to show now: a text that was waved away stays away, another one does not. */
export function shownNotice(notice: Notice | null, dismissed: string | null, nowMs: number): Notice | null {
  if (notice === null || notice.text === '' || notice.text === dismissed) return null;
  return notice.until_ms !== null && notice.until_ms <= nowMs ? null : notice;
}

/** When to look again whether it is over; nothing if it has no end. */
export function lookAgainMs(notice: Notice, nowMs: number): number | null {
  if (notice.until_ms === null) return null;
  return Math.min(Math.max(0, notice.until_ms - nowMs), LOOK_AGAIN_MS_MAX);
}

export function OperatorNotice() {
  const client = useClient();
  const { notice } = useGame();
  const [dismissed, setDismissed] = useState(() => storage.get(KEY));
  const [, setLooked] = useState(0);
  const shown = shownNotice(notice, dismissed, client.clock.nowMs());
  useEffect(() => {
    const delayMs = shown === null ? null : lookAgainMs(shown, client.clock.nowMs());
    if (delayMs === null) return;
    const timer = setTimeout(() => setLooked((looked) => looked + 1), delayMs);
    return () => clearTimeout(timer);
  });
  if (shown === null) return null;
  const dismiss = () => {
    storage.set(KEY, shown.text);
    setDismissed(shown.text);
  };
  return <NoticeBanner words={shown.text} onClose={dismiss} />;
}
