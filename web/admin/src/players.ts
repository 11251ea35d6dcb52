/** What was searched, kept while the operator is logged in, so that the way back from a player leads to the same list. */

import type { PlayerRow } from './api.gen';
import type { Tone } from './parts/chip';

export interface Search {
  query: string;
  rows: PlayerRow[];
  next: string | null;
}

const KINDS: Readonly<Record<string, { words: string; tone: Tone }>> = {
  guest: { words: 'guest', tone: 'plain' },
  account: { words: 'account', tone: 'good' },
  banned: { words: 'banned', tone: 'bad' },
  erasing: { words: 'will be erased', tone: 'watch' },
  unknown: { words: 'nobody’s', tone: 'plain' },
};

export function kindOf(kind: string): { words: string; tone: Tone } {
  return KINDS[kind] ?? { words: kind, tone: 'plain' };
}

/** A hero without a name that can be read still needs something to call it. */
export function nameOf(row: Pick<PlayerRow, 'name' | 'hero_id'>): string {
  return row.name === null ? `Hero ${row.hero_id.slice(0, 8)}` : row.name;
}
