/** When to try again after a socket closed. */

import { CLOSE_REACTION, type CloseReaction } from './protocol.gen';

export const BACKOFF_MS_MIN = 500;
export const BACKOFF_MS_MAX = 30_000;
/** The server said that this client sends too much: a pause that lets every bucket fill again. */
const SLOW_DOWN_MS = 10_000;
/** A frame of ours was wrong; the same again would be wrong again. */
const FIX_CLIENT_MS = 30_000;
/** Everybody on a moved shard comes at once otherwise. */
const MOVED_SPREAD_MS = 500;

export interface Closing {
  code: number;
  /** Failures in a row. */
  attempt: number;
  /** From `going_away`, if the server said goodbye. */
  reconnectAfterMs: number | null;
  /** 0 to 1. */
  random: number;
}

/** Full jitter: anything from the least to a ceiling that doubles. */
export function backoffMs(attempt: number, random: number): number {
  const ceiling = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** Math.min(attempt + 1, 10));
  return Math.round(BACKOFF_MS_MIN + random * (ceiling - BACKOFF_MS_MIN));
}

export function reactionTo(code: number): CloseReaction {
  return CLOSE_REACTION[code] ?? 'backoff';
}

/** Milliseconds to wait before the next try, or nothing: never by itself. */
export function delayAfter(closing: Closing): number | null {
  const jittered = backoffMs(closing.attempt, closing.random);
  switch (reactionTo(closing.code)) {
    case 'stop':
      return null;
    case 'now':
      return closing.attempt === 0 ? Math.round(closing.random * MOVED_SPREAD_MS) : jittered;
    case 'new_ticket':
      // The first time the ticket was just too old; after that something is wrong for longer.
      return closing.attempt === 0 ? 0 : jittered;
    case 'after_going_away':
      return closing.reconnectAfterMs ?? jittered;
    case 'slow_down':
      return SLOW_DOWN_MS + jittered;
    case 'fix_client':
      return FIX_CLIENT_MS + jittered;
    case 'backoff':
      return closing.reconnectAfterMs ?? jittered;
  }
}
