import { useEffect, useRef, useState } from 'react';
import { EFFECT_MS_MAX, isEffectOn } from '../effects';
import { useClient } from '../game';
import { systemReducesMotion, useSettings } from '../settings';
import { chime, shake } from '../sound';
import { gainWords } from './gains';

const SPARKS = 14;
/** More at once is a list to read, and the summary has that. */
const WAITING_MAX = 4;

/** Small gains, one at a time, at the edge of the screen. Big moments are told on the session's last page instead. */
export function Toasts({ hasEndPage }: { hasEndPage: boolean }) {
  const client = useClient();
  const settings = useSettings();
  const [queue, setQueue] = useState<readonly { key: number; words: string }[]>([]);
  const nextKey = useRef(0);

  useEffect(
    () =>
      client.onEvents((events) => {
        const words = events.map((event) => gainWords(event, hasEndPage)).filter((one) => one !== null);
        if (words.length === 0) return;
        chime('gain');
        shake();
        if (!isEffectOn('toast', settings, systemReducesMotion())) return;
        const fresh = words.map((one) => ({ key: nextKey.current++, words: one }));
        setQueue((waiting) => [...waiting, ...fresh].slice(-WAITING_MAX));
      }),
    [client, settings, hasEndPage],
  );

  const first = queue[0];
  const key = first?.key;
  useEffect(() => {
    if (key === undefined) return;
    const id = setTimeout(() => setQueue((waiting) => waiting.slice(1)), EFFECT_MS_MAX);
    return () => clearTimeout(id);
  }, [key]);

  const sparkle = isEffectOn('particles', settings, systemReducesMotion());
  return (
    <div className="toasts" role="status">
      {first && (
        <div key={first.key} className="toast">
          {first.words}
          {sparkle && (
            <span className="sparks" aria-hidden="true" data-testid="particles">
              {Array.from({ length: SPARKS }, (_, index) => (
                <i key={index} style={{ rotate: `${(index * 360) / SPARKS}deg` }} />
              ))}
            </span>
          )}
        </div>
      )}
    </div>
  );
}
