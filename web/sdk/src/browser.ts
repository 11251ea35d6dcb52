/** The client in a real browser. */

import { httpApi } from './api';
import { DopamineHero } from './client';
import type { SocketLike, Surroundings } from './connection';
import { KEY, type KeyValue, readJson, WebStorage } from './storage';
import { browserLocks, chooseStream, isNumberArray, newStream } from './stream';

export interface BrowserOptions {
  /** Shown to the operator. */
  name: string;
}

export async function openInBrowser(options: BrowserOptions): Promise<DopamineHero> {
  const storage = new WebStorage(area(() => localStorage));
  const tab = new WebStorage(area(() => sessionStorage));
  const locks = browserLocks(navigator.locks as LockManager | undefined);
  const choice = { device: storage, tab, locks, random: Math.random };
  const streamId = await chooseStream(choice);
  const orphanStreams = locks === null ? [] : await freeOrphans(storage, streamId);
  const client = new DopamineHero({
    api: httpApi('', fetch.bind(globalThis)),
    socketUrl: socketUrl(location),
    storage,
    streamId,
    orphanStreams,
    surroundings: browserSurroundings(),
    exclusively: (run) => exclusively(run),
    newStream: () => newStream(choice),
    name: options.name,
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  });
  addEventListener('pagehide', () => client.save());
  client.start();
  return client;
}

function area(open: () => Storage): Storage | null {
  try {
    return open();
  } catch {
    return null;
  }
}

export function socketUrl(place: { protocol: string; host: string }): string {
  return `${place.protocol === 'https:' ? 'wss:' : 'ws:'}//${place.host}/v1/ws`;
}

/** Other streams that no open tab holds. */
async function freeOrphans(storage: KeyValue, own: number): Promise<number[]> {
  const known = readJson(storage, KEY.streams, isNumberArray) ?? [];
  const held = new Set((await navigator.locks.query()).held?.map((lock) => lock.name));
  return known.filter((id) => id !== own && !held.has(`dopamine-hero.stream.${id}`));
}

function exclusively<T>(run: () => Promise<T>): Promise<T> {
  const locks = navigator.locks as LockManager | undefined;
  return locks === undefined ? run() : (locks.request('dopamine-hero.guest', run) as Promise<T>);
}

function browserSurroundings(): Surroundings {
  return {
    monotonicMs: () => performance.now(),
    wallMs: () => Date.now(),
    random: Math.random,
    after(delayMs, run) {
      const id = setTimeout(run, delayMs);
      return () => clearTimeout(id);
    },
    openSocket: (url, subprotocol) => new WebSocket(url, subprotocol) as unknown as SocketLike,
    isOnline: () => navigator.onLine,
    onWake(run) {
      const visible = () => {
        if (document.visibilityState === 'visible') run();
      };
      addEventListener('online', run);
      addEventListener('pageshow', run);
      document.addEventListener('visibilitychange', visible);
      return () => {
        removeEventListener('online', run);
        removeEventListener('pageshow', run);
        document.removeEventListener('visibilitychange', visible);
      };
    },
  };
}
