/**
 * Every open tab has its own command stream, because the server takes one gap-free sequence a stream. The server
 * remembers only a few streams a hero, so a new tab takes over the stream of a closed one, together with what that one
 * had not sent yet. A lock held for the life of the page says which streams are in use.
 */

import { LIMIT } from './protocol.gen';
import { unsentOf, waitsForOther } from './queue';
import { KEY, type KeyValue, readJson } from './storage';

/** Held until the page goes, or lets go. */
export interface Locks {
  /** Tries for at most `waitMs`; true means that the lock is held from now on. */
  acquire(name: string, waitMs: number): Promise<boolean>;
  release(name: string): void;
}

/** A page that is just being left lets its lock go within this time. */
const RELOAD_WAIT_MS = 400;

export interface StreamChoice {
  device: KeyValue;
  tab: KeyValue;
  locks: Locks | null;
  random(): number;
  /** Whose commands the stream is to carry, as far as that is known. */
  heroId: string | null;
}

export function streamLock(streamId: number): string {
  return `dopamine-hero.stream.${streamId}`;
}

export function knownStreams(device: KeyValue): number[] {
  return readJson(device, KEY.streams, isNumberArray) ?? [];
}

export function isNumberArray(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'number');
}

/** Picks the stream of this tab: its own from before a reload, an orphan, or a new one. */
export async function chooseStream(choice: StreamChoice): Promise<number> {
  const own = Number(choice.tab.get(KEY.tabStream) ?? 0);
  const isOurs = own > 0 && !waitsForOther(choice.device, own, choice.heroId);
  if (isOurs && unsentOf(choice.device, own, choice.heroId) === 0 && choice.locks !== null) {
    // What was left under another stream goes first; by this hero's last visit to this tab, for one.
    for (const orphan of orphans(choice, own).filter((id) => unsentOf(choice.device, id, choice.heroId) > 0)) {
      if (await isFree(choice, orphan, 0)) return keep(choice, orphan);
    }
  }
  if (isOurs && (await isFree(choice, own, RELOAD_WAIT_MS))) return keep(choice, own);
  if (choice.locks !== null) {
    for (const orphan of orphans(choice, own)) {
      if (await isFree(choice, orphan, 0)) return keep(choice, orphan);
    }
  }
  return newStream(choice);
}

/** Draws a stream that nobody has, and keeps it for this tab. */
export function newStream(choice: StreamChoice): number {
  const fresh = 1 + Math.floor(choice.random() * (LIMIT.integer_max - 1));
  // Nobody else can ask for this lock yet, so there is nothing to wait for.
  void isFree(choice, fresh, 0);
  return keep(choice, fresh);
}

/** Streams with something unsent first: a closed tab's commands must not wait for luck. */
function orphans(choice: StreamChoice, own: number): number[] {
  const known = knownStreams(choice.device);
  const hasQueue = (id: number) => unsentOf(choice.device, id, choice.heroId) > 0;
  const usable = known.filter((id) => id !== own && !waitsForOther(choice.device, id, choice.heroId));
  return usable.sort((a, b) => Number(hasQueue(b)) - Number(hasQueue(a)));
}

async function isFree(choice: StreamChoice, streamId: number, waitMs: number): Promise<boolean> {
  if (choice.locks === null) return true;
  return choice.locks.acquire(streamLock(streamId), waitMs);
}

function keep(choice: StreamChoice, streamId: number): number {
  choice.tab.set(KEY.tabStream, String(streamId));
  const known = knownStreams(choice.device).filter((id) => id !== streamId);
  known.push(streamId);
  // The oldest go first, as on the server; one with something unsent stays.
  while (known.length > LIMIT.streams_max) {
    const index = known.findIndex((id) => id !== streamId && unsentOf(choice.device, id, null) === 0);
    if (index < 0) break;
    known.splice(index, 1);
  }
  choice.device.set(KEY.streams, JSON.stringify(known));
  return streamId;
}

/** The browser's locks; absent on plain http away from localhost, where each tab keeps to its own session storage. */
export function browserLocks(manager: LockManager | undefined): Locks | null {
  if (manager === undefined) return null;
  const held = new Map<string, () => void>();
  return {
    release(name) {
      held.get(name)?.();
      held.delete(name);
    },
    acquire(name, waitMs) {
      return new Promise((resolve) => {
        const hold = (lock: Lock | null) => {
          resolve(lock !== null);
          // A promise that does not settle keeps the lock.
          return lock === null ? undefined : new Promise<void>((letGo) => held.set(name, letGo));
        };
        const request =
          waitMs === 0
            ? manager.request(name, { ifAvailable: true }, hold)
            : manager.request(name, { signal: AbortSignal.timeout(waitMs) }, hold);
        request.catch(() => resolve(false));
      });
    },
  };
}
