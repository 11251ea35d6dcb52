/**
 * Who this device is: nobody yet, a guest with a token of its own in storage, or an account.
 *
 * An account's access token lives in memory only; a cookie that no script can read brings a new one. The cookie's token
 * is good for one use, so all tabs of a browser rotate it one after the other, under a lock, and tell each other what
 * came of it. Storage keeps no more of an account than whose hero is played here.
 *
 *   bearer ─ access token still good ────────────────────────────▶ credential
 *          └ lock ─ another tab was faster ──────────────────────▶ credential
 *                 └ POST /v1/auth/refresh ─ 200 ─ tell the tabs ─▶ credential
 *                                         ├ 401 ─▶ expired: the page goes on and asks when it suits
 *                                         └ no network ─▶ thrown: whoever asked comes again
 */

import { type Api, type Credentials, type Device, isDevice, isSession, readDevice, type Session } from './api';
import { Unauthorized } from './http';
import { isRecord, KEY, type KeyValue, readJson } from './storage';

export interface AuthState {
  kind: 'nobody' | 'guest' | 'account';
  /** The hero that is played here. */
  heroId: string | null;
  /** An account's: its id, and this login's in the list of devices. */
  accountId: string | null;
  deviceId: string | null;
  /** The login is over. What is on the screen stays, and what is done waits. */
  expired: boolean;
  /** A guest with another hero that waits on this device beside the account. */
  guest: Device | null;
}

/** A token and the hero that it opens. */
export interface Credential {
  token: string;
  heroId: string;
}

/** Messages to the other tabs of this browser; they reach the memory of pages of our own origin, and no disk. */
export interface Channel {
  post(message: unknown): void;
  listen(hear: (message: unknown) => void): void;
}

export interface AuthOptions {
  api: Api;
  storage: KeyValue;
  wallMs(): number;
  /** Runs one at a time over all tabs of this device. */
  exclusively<T>(name: string, run: () => Promise<T>): Promise<T>;
  channel: Channel | null;
}

interface Account {
  account_id: string;
  hero_id: string;
  device_id: string;
}

interface Access {
  token: string;
  heroId: string;
  untilMs: number;
}

const REFRESH_LOCK = 'dopamine-hero.refresh';
/** A token that would end on its way to the server is not used. */
const ACCESS_MARGIN_MS = 30_000;

function isAccount(value: unknown): value is Account {
  return isRecord(value) && ['account_id', 'hero_id', 'device_id'].every((name) => typeof value[name] === 'string');
}

export class Auth {
  readonly #options: AuthOptions;
  readonly #listeners = new Set<() => void>();
  #access: Access | null = null;
  #expired = false;
  #rotating: Promise<Credential> | null = null;
  #state: AuthState;

  constructor(options: AuthOptions) {
    this.#options = options;
    this.#state = this.#read();
    options.channel?.listen((message) => this.#hear(message));
  }

  get state(): AuthState {
    return this.#state;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Another tab has changed what is stored. */
  reread(): void {
    const account = this.#account();
    if (account === null || account.hero_id !== this.#access?.heroId) this.#access = null;
    this.#publish();
  }

  /** A ticket for one socket. Makes a guest if this device is nobody yet. */
  ticket(): Promise<{ ticket: string; heroId: string }> {
    return this.authorised(async ({ token, heroId }) => ({ ticket: await this.#options.api.ticket(token), heroId }));
  }

  /** Calls with a credential; one that turns out to be too old is renewed once. */
  async authorised<T>(call: (credential: Credential) => Promise<T>): Promise<T> {
    const credential = await this.bearer();
    try {
      return await call(credential);
    } catch (error) {
      if (!(error instanceof Unauthorized) || this.#account() === null) throw error;
      if (this.#access?.token === credential.token) this.#access = null;
    }
    const renewed = await this.bearer();
    try {
      return await call(renewed);
    } catch (error) {
      if (error instanceof Unauthorized) this.#isOver(renewed);
      throw error;
    }
  }

  /** Throws `Unauthorized` once the login is over, and the browser's error while there is no network. */
  async bearer(): Promise<Credential> {
    const account = this.#account();
    if (account === null) return this.#guest();
    return this.#usable() ?? this.#refresh();
  }

  /**
   * Makes an account of the guest on this device, or a new one. Says whether this browser keeps the login: where it
   * refuses cookies, the guest's token stays the key.
   */
  async register(credentials: Credentials): Promise<{ kept: boolean }> {
    const guest = readDevice(this.#options.storage);
    return this.#begin(() => this.#options.api.register(credentials, guest?.device_token ?? null));
  }

  /** A guest with another hero stays on this device, until it is claimed or played again. */
  async login(credentials: Credentials): Promise<{ kept: boolean }> {
    return this.#begin(() => this.#options.api.login(credentials));
  }

  /** Needs the server, because only it can take the cookie back. Then the guest of this device plays again, if there is one. */
  async logout(): Promise<void> {
    try {
      await this.#options.api.logout(this.#usable()?.token ?? null);
    } catch (error) {
      // A login that is over already is what was asked for.
      if (!(error instanceof Unauthorized)) throw error;
    }
    this.leave();
  }

  /** Forgets the account here, without asking anybody. */
  leave(): void {
    this.#access = null;
    this.#expired = false;
    for (const key of [KEY.account, KEY.hero]) this.#options.storage.remove(key);
    this.#publish();
  }

  /** The guest of this device has become part of an account: its token is of no more use. */
  forgetGuest(): void {
    this.#options.storage.remove(KEY.device);
    this.#publish();
  }

  /** Under the lock of the rotations: an answer to an old cookie must not come after the new one. */
  async #begin(ask: () => Promise<Session>): Promise<{ kept: boolean }> {
    const session = await this.#options.exclusively(REFRESH_LOCK, ask);
    this.#accept(session);
    let kept: boolean;
    try {
      await this.#refresh();
      kept = this.#access !== null;
    } catch (error) {
      // Without a network the next rotation shows it.
      kept = !(error instanceof Unauthorized);
    }
    if (!kept) this.#accept(session);
    return { kept };
  }

  async #guest(): Promise<Credential> {
    const { api, storage, exclusively } = this.#options;
    const known = readDevice(storage);
    if (known !== null) return { token: known.device_token, heroId: known.hero_id };
    const made = await exclusively('dopamine-hero.guest', async () => {
      const device = readDevice(storage) ?? (await api.createGuest());
      storage.set(KEY.device, JSON.stringify(device));
      return device;
    });
    this.#publish();
    return { token: made.device_token, heroId: made.hero_id };
  }

  /** One rotation at a time in this tab; the lock sees to the others. */
  #refresh(): Promise<Credential> {
    this.#rotating ??= this.#rotate().finally(() => (this.#rotating = null));
    return this.#rotating;
  }

  async #rotate(): Promise<Credential> {
    const before = this.#access;
    return this.#options.exclusively(REFRESH_LOCK, async () => {
      const told = this.#usable();
      if (told !== null && this.#access !== before) return told;
      try {
        const session = await this.#options.api.refresh();
        this.#accept(session);
        this.#dropOwnGuest(session.hero_id);
        return { token: session.access_token, heroId: session.hero_id };
      } catch (error) {
        if (!(error instanceof Unauthorized)) throw error;
        return this.#refused(error);
      }
    });
  }

  /** The cookie is not good. Where the account's hero still has its guest's token here, that goes on as before. */
  #refused(error: Unauthorized): Credential {
    const account = this.#account();
    const guest = readDevice(this.#options.storage);
    this.#access = null;
    if (account !== null && guest?.hero_id === account.hero_id) return { token: guest.device_token, heroId: guest.hero_id };
    this.#expired = account !== null;
    this.#publish();
    throw error;
  }

  /** Not even what is new is good any more. */
  #isOver({ token }: Credential): void {
    if (this.#account() === null) return;
    this.#access = null;
    this.#expired = true;
    // A guest's own token that the server took back when its hero became an account's.
    if (readDevice(this.#options.storage)?.device_token === token) this.#options.storage.remove(KEY.device);
    this.#publish();
  }

  /** The cookie has brought a new token, so the login outlives this page and the guest's own token is not needed. */
  #dropOwnGuest(heroId: string): void {
    if (readDevice(this.#options.storage)?.hero_id !== heroId) return;
    this.#options.storage.remove(KEY.device);
    this.#publish();
  }

  #accept(session: Session): void {
    this.#take(session);
    const { account_id, hero_id, device_id } = session;
    this.#options.storage.set(KEY.account, JSON.stringify({ account_id, hero_id, device_id } satisfies Account));
    this.#options.channel?.post(session);
    this.#publish();
  }

  #take(session: Session): void {
    const untilMs = this.#options.wallMs() + session.expires_in_ms;
    this.#access = { token: session.access_token, heroId: session.hero_id, untilMs };
    this.#expired = false;
  }

  #hear(message: unknown): void {
    if (!isSession(message)) return;
    this.#take(message);
    this.#publish();
  }

  #usable(): Credential | null {
    const access = this.#access;
    if (access === null || access.untilMs - this.#options.wallMs() < ACCESS_MARGIN_MS) return null;
    return { token: access.token, heroId: access.heroId };
  }

  #account(): Account | null {
    return readJson(this.#options.storage, KEY.account, isAccount);
  }

  #read(): AuthState {
    const account = this.#account();
    const guest = readJson(this.#options.storage, KEY.device, isDevice);
    if (account === null) {
      const kind = guest === null ? 'nobody' : 'guest';
      return { kind, heroId: guest?.hero_id ?? null, accountId: null, deviceId: null, expired: false, guest: null };
    }
    return {
      kind: 'account',
      heroId: account.hero_id,
      accountId: account.account_id,
      deviceId: account.device_id,
      expired: this.#expired,
      guest: guest !== null && guest.hero_id !== account.hero_id ? guest : null,
    };
  }

  #publish(): void {
    const next = this.#read();
    if (JSON.stringify(next) === JSON.stringify(this.#state)) return;
    this.#state = next;
    for (const listener of this.#listeners) listener();
  }
}
