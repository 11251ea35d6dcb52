/** When an account is offered: after the second session, never before, and not again once it was waved away. */

import { type AuthState, type Hero, WebStorage } from '@dopamine-hero/sdk';
import { useSyncExternalStore } from 'react';

export const OFFER_AFTER_SESSIONS = 2;

const KEY = 'dopamine-hero.account-offer';
const storage = new WebStorage(typeof localStorage === 'undefined' ? null : localStorage);
const listeners = new Set<() => void>();

/** Whether making an account is spoken of at all. */
export function mayOffer(auth: Pick<AuthState, 'kind'>, hero: Pick<Hero, 'statistics'>): boolean {
  return auth.kind === 'guest' && hero.statistics.sessions >= OFFER_AFTER_SESSIONS;
}

export function dismissOffer(): void {
  storage.set(KEY, 'dismissed');
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useOfferDismissed(): boolean {
  return useSyncExternalStore(subscribe, () => storage.get(KEY) === 'dismissed');
}

const GUEST_LIFE_DAYS = 30;

/** Until when a guest that is played now stays: `26 December`. */
export function guestUntil(nowMs: number): string {
  return longDate(nowMs + GUEST_LIFE_DAYS * 86_400_000);
}

/** To the minute, for what cannot be undone after it: `Sunday 27 December 2026 at 04:31`. */
export function exactDate(atMs: number): string {
  const at = new Date(atMs);
  const day = at.toLocaleDateString('en-GB', { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
  return `${day} at\u00a0${at.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })}`;
}

export function longDate(atMs: number): string {
  return new Date(atMs).toLocaleDateString('en-GB', { day: 'numeric', month: 'long' });
}
