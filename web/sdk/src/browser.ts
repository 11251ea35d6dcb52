/** The client in a real browser. */

import { Account } from './account';
import { type Api, type Device, httpApi } from './api';
import { Auth, type Channel } from './auth';
import { DopamineHero, type Identity } from './client';
import type { SocketLike, Surroundings } from './connection';
import { sender } from './http';
import { unsentOf } from './queue';
import { KEY, type KeyValue, WebStorage } from './storage';
import { browserLocks, chooseStream, knownStreams, type Locks, newStream, type StreamChoice, streamLock } from './stream';

export interface BrowserOptions {
  /** Shown to the operator. */
  name: string;
  /** Where the socket is opened, when that is not the host of the page. */
  socketUrl?: string;
}

/** A tab that is frozen while it holds a lock does not hold up the others for longer. */
const LOCK_WAIT_MS = 10_000;
/** How long commands of a guest that is not played any more may take to be saved. */
const SEND_WAITING_MS = 10_000;

/** One tab: who plays here, and a client for each hero that is played, one after the other. */
export class Browser {
  readonly auth: Auth;
  readonly account: Account;
  readonly #options: BrowserOptions;
  readonly #api: Api;
  readonly #storage = new WebStorage(area(() => localStorage));
  readonly #tab = new WebStorage(area(() => sessionStorage));
  readonly #locks: Locks | null;
  readonly #surroundings = browserSurroundings();
  #playing: DopamineHero | null = null;

  constructor(options: BrowserOptions) {
    this.#options = options;
    const send = sender('', fetch.bind(globalThis));
    this.#api = httpApi(send);
    this.#locks = browserLocks(navigator.locks as LockManager | undefined);
    this.auth = new Auth({
      api: this.#api,
      storage: this.#storage,
      wallMs: () => Date.now(),
      exclusively,
      channel: browserChannel(),
    });
    this.account = new Account(send, this.auth);
    addEventListener('pagehide', () => this.#playing?.save());
    this.auth.subscribe(() => this.#loginChanged());
    addEventListener('storage', (event) => {
      if (event.key === null || event.key === KEY.account || event.key === KEY.device) this.auth.reread();
    });
  }

  get storage(): KeyValue {
    return this.#storage;
  }

  /** A client for whoever plays here now. */
  async play(): Promise<DopamineHero> {
    const choice = this.#choice(this.auth.state.heroId);
    const streamId = await chooseStream(choice);
    const orphanStreams = await this.#freeOrphans(streamId);
    const identity = { heroId: () => this.auth.state.heroId, ticket: () => this.auth.ticket() };
    const client = this.#client(streamId, identity, { orphanStreams, newStream: () => newStream(choice) });
    this.#playing = client;
    client.start();
    return client;
  }

  /** A client that waits for a login goes on as soon as there is one for its hero, in whichever tab that was. */
  #loginChanged(): void {
    const client = this.#playing;
    const { expired, heroId } = this.auth.state;
    if (client?.state.link.state === 'signed_out' && !expired && heroId === client.heroId) client.reconnectNow();
  }

  /** The client has played its last: what it has not sent stays for whoever plays this hero next. */
  leave(client: DopamineHero): void {
    client.stop();
    this.#locks?.release(streamLock(client.streamId));
  }

  /** Sends what the guest beside the account has not sent yet. Gives back how many commands still wait. */
  async sendWaiting(guest: Device): Promise<number> {
    const waiting = () => knownStreams(this.#storage).filter((id) => unsentOf(this.#storage, id, guest.hero_id) > 0);
    for (const streamId of waiting()) {
      const isFree = this.#locks === null || (await this.#locks.acquire(streamLock(streamId), 0));
      if (!isFree) continue;
      const identity = {
        heroId: () => guest.hero_id,
        ticket: async () => ({ ticket: await this.#api.ticket(guest.device_token), heroId: guest.hero_id }),
      };
      const client = this.#client(streamId, identity, {
        orphanStreams: [],
        newStream: () => newStream(this.#choice(guest.hero_id)),
        isBackground: true,
      });
      client.start();
      await client.saved(SEND_WAITING_MS);
      this.leave(client);
    }
    return waiting().reduce((sum, id) => sum + unsentOf(this.#storage, id, guest.hero_id), 0);
  }

  #client(
    streamId: number,
    identity: Identity,
    rest: { orphanStreams: readonly number[]; newStream: () => number; isBackground?: boolean },
  ): DopamineHero {
    return new DopamineHero({
      identity,
      socketUrl: this.#options.socketUrl ?? socketUrl(location),
      storage: this.#storage,
      streamId,
      surroundings: this.#surroundings,
      name: this.#options.name,
      timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      ...rest,
    });
  }

  #choice(heroId: string | null): StreamChoice {
    return { device: this.#storage, tab: this.#tab, locks: this.#locks, random: Math.random, heroId };
  }

  /** Other streams that no open tab holds. */
  async #freeOrphans(own: number): Promise<number[]> {
    if (this.#locks === null) return [];
    const held = new Set((await navigator.locks.query()).held?.map((lock) => lock.name));
    return knownStreams(this.#storage).filter((id) => id !== own && !held.has(streamLock(id)));
  }
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

function exclusively<T>(name: string, run: () => Promise<T>): Promise<T> {
  const locks = navigator.locks as LockManager | undefined;
  if (locks === undefined) return run();
  return locks.request(name, { signal: AbortSignal.timeout(LOCK_WAIT_MS) }, run) as Promise<T>;
}

function browserChannel(): Channel | null {
  if (typeof BroadcastChannel === 'undefined') return null;
  const channel = new BroadcastChannel('dopamine-hero.auth');
  return {
    // A BroadcastChannel never leaves its origin, and takes no target.
    // oxlint-disable-next-line unicorn/require-post-message-target-origin
    post: (message) => channel.postMessage(message),
    listen(hear) {
      channel.onmessage = (event) => hear(event.data);
    },
  };
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
