/** Who is logged in, until when, and what happens when that is over. */

import { Api, Failed, failed } from './api';
import type { Role, Session, SetupOffer } from './api.gen';
import { learnSkew, serverNow } from './server-time';

export interface SignedIn {
  phase: 'signed_in';
  name: string;
  role: Role;
  environment: string;
  /** Server time: when it ends if nobody does anything. */
  idleUntilMs: number;
  /** Server time: when it ends whatever happens. */
  endsAtMs: number;
  /** It has ended. The page stays as it is, below the login, so that nothing that was typed is lost. */
  isOver: boolean;
}

export type SessionState =
  | { phase: 'loading' }
  | { phase: 'away'; problem: Failed }
  | { phase: 'setup' | 'anonymous'; environment: string }
  | SignedIn;

export class SessionStore {
  readonly api: Api;
  #state: SessionState = { phase: 'loading' };
  #idleMs = 0;
  readonly #listeners = new Set<() => void>();

  constructor(fetchFn: typeof fetch) {
    this.api = new Api(fetchFn, () => this.load());
    this.api.onSignedOut = () => this.#over();
    this.api.onActivity = () => this.#active();
  }

  readonly get = (): SessionState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Asks the server. A session that is known stays on the page when the server is away, or when it is over. */
  async load(): Promise<void> {
    try {
      const answer = await this.api.ask<Session>('GET', '/v1/session', undefined, { isBackground: true });
      if (answer.skewMs !== null) learnSkew(answer.skewMs);
      this.#accept(answer.body);
    } catch (error) {
      if (this.#state.phase !== 'signed_in') this.#set({ phase: 'away', problem: failed(error) });
    }
  }

  /** Whatever the routes answer, the session itself is asked for: there is one place that says who is logged in. */
  async login(name: string, password: string, code: string): Promise<void> {
    await this.api.post('/v1/login', { name, password, code });
    await this.load();
  }

  async beginSetup(token: string, password: string): Promise<SetupOffer> {
    return (await this.api.post<SetupOffer>('/v1/setup', { token, password })).body;
  }

  async confirmSetup(token: string, password: string, secret: string, code: string): Promise<void> {
    await this.api.post('/v1/setup/confirm', { token, password, totp_secret: secret, code });
    await this.load();
  }

  async logout(): Promise<void> {
    await this.api.post('/v1/logout', {});
    this.api.csrfToken = null;
    const environment = 'environment' in this.#state ? this.#state.environment : '';
    this.#set({ phase: 'anonymous', environment });
  }

  /** The operator is there. What the panel asks by itself keeps no session alive, so something else is asked. */
  async stay(): Promise<void> {
    await this.api.get('/v1/outages').catch(() => undefined);
    await this.load();
  }

  /** Gives up the page below the login, with what was typed there. */
  leave(): void {
    const environment = 'environment' in this.#state ? this.#state.environment : '';
    this.api.csrfToken = null;
    this.#set({ phase: 'anonymous', environment });
  }

  #accept(session: Session): void {
    this.api.csrfToken = session.csrf_token;
    if (session.state !== 'signed_in' || session.operator === null) {
      if (this.#state.phase === 'signed_in') this.#over();
      else this.#set({ phase: session.state === 'setup' ? 'setup' : 'anonymous', environment: session.environment });
      return;
    }
    const idleUntilMs = session.idle_until_ms ?? Number.MAX_SAFE_INTEGER;
    const endsAtMs = session.ends_at_ms ?? Number.MAX_SAFE_INTEGER;
    this.#idleMs = Math.max(this.#idleMs, idleUntilMs - serverNow());
    const { name, role } = session.operator;
    this.#set({ phase: 'signed_in', name, role, environment: session.environment, idleUntilMs, endsAtMs, isOver: false });
  }

  #active(): void {
    const state = this.#state;
    if (state.phase !== 'signed_in' || state.isOver) return;
    const idleUntilMs = serverNow() + this.#idleMs;
    // Once in ten seconds is often enough to draw.
    if (idleUntilMs - state.idleUntilMs > 10_000) this.#set({ ...state, idleUntilMs });
  }

  #over(): void {
    const state = this.#state;
    if (state.phase === 'signed_in' && !state.isOver) this.#set({ ...state, isOver: true });
  }

  #set(state: SessionState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}

/** What ends next, and when; nothing while there is time. */
export function endOf(state: SignedIn, nowMs: number, warnMs: number): { why: 'idle' | 'age'; atMs: number } | null {
  const why = state.endsAtMs <= state.idleUntilMs ? 'age' : 'idle';
  const atMs = Math.min(state.endsAtMs, state.idleUntilMs);
  return atMs - nowMs <= warnMs ? { why, atMs } : null;
}
