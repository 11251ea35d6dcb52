import { useEffect, useState } from 'react';
import { useClient } from '../game';
import { teamWords } from './gains';

/** More at once would push the page away; the export of the account has all of them. */
const NOTES_MAX = 3;

interface Note {
  seq: number;
  words: string;
}

/** What the team did to the balances, in words that stay until they are read. No sound, nothing moves. */
export function TeamNotes() {
  const client = useClient();
  const [notes, setNotes] = useState<readonly Note[]>([]);

  useEffect(
    () =>
      client.onEvents((events) => {
        const fresh = events.flatMap((event) => {
          const words = teamWords(event);
          return words === null ? [] : [{ seq: event.seq, words }];
        });
        if (fresh.length > 0) setNotes((shown) => [...shown, ...fresh].slice(-NOTES_MAX));
      }),
    [client],
  );

  if (notes.length === 0) return null;
  return (
    <div className="banners">
      {notes.map((note) => (
        <p key={note.seq} className="banner" role="status" data-testid="team-note">
          {note.words}{' '}
          <button type="button" className="link" onClick={() => setNotes((shown) => shown.filter((one) => one.seq !== note.seq))}>
            OK
          </button>
        </p>
      ))}
    </div>
  );
}
