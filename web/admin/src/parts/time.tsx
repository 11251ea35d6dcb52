/** Moments: in the zone that was chosen, with the other one and the distance on hover. */

import { useEffect, useState } from 'react';
import { clock, moment, NOTHING, offset, relative } from '../format';
import { serverNow } from '../server-time';
import { useSettings } from '../settings';

export function Time({ ms, as = 'moment' }: { ms: number | null; as?: 'moment' | 'clock' | 'relative' }) {
  const { zone } = useSettings();
  if (ms === null) return NOTHING;
  const now = serverNow();
  const title = `${moment(ms, 'local')} (${offset(ms)}) · ${moment(ms, 'utc')} UTC · ${relative(ms, now)}`;
  const text = as === 'relative' ? relative(ms, now) : as === 'clock' ? clock(ms, zone) : moment(ms, zone);
  return (
    <time dateTime={new Date(ms).toISOString()} title={title}>
      {text}
    </time>
  );
}

/** Draws again every second while it is wanted. */
export function useSecond(isWanted = true): number {
  const [now, setNow] = useState(serverNow);
  useEffect(() => {
    if (!isWanted) return;
    const timer = setInterval(() => setNow(serverNow()), 1_000);
    return () => clearInterval(timer);
  }, [isWanted]);
  return now;
}
