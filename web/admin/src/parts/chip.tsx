/** A word with a colour. The word alone says it. */

import type { ReactNode } from 'react';

export type Tone = 'good' | 'watch' | 'bad' | 'calm' | 'plain';

export function Chip({ tone, children }: { tone: Tone; children: ReactNode }) {
  return (
    <span className="chip" data-tone={tone}>
      {children}
    </span>
  );
}
