/** One line about what was done, read aloud and gone after a while. */

import { useEffect, useState, useSyncExternalStore } from 'react';

const SHOWN_MS = 8_000;
let line: { words: string; number: number } = { words: '', number: 0 };
const listeners = new Set<() => void>();

export function say(words: string): void {
  line = { words, number: line.number + 1 };
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function Toast() {
  const { words, number } = useSyncExternalStore(subscribe, () => line);
  const [gone, setGone] = useState(0);
  useEffect(() => {
    const timer = setTimeout(() => setGone(number), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [number]);
  const isShown = words !== '' && gone !== number;
  return (
    <div className="toast" role="status" data-shown={isShown}>
      {isShown && (
        <>
          <span>{words}</span>
          <button type="button" className="link" onClick={() => setGone(number)}>
            Dismiss
          </button>
        </>
      )}
    </div>
  );
}
