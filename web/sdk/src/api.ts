/** What is not real time and needs no account: the guest, the ticket, the catalogue. And what makes and ends a login. */

import { type Send } from './http';
import { isRecord, KEY, type KeyValue, readJson } from './storage';

/** A guest's key to its hero. */
export interface Device {
  hero_id: string;
  device_token: string;
}

/** A login, as the server answers it. The refresh token stays in a cookie that no script can read. */
export interface Session {
  access_token: string;
  expires_in_ms: number;
  account_id: string;
  hero_id: string;
  device_id: string;
}

export interface Credentials {
  mail: string;
  password: string;
  /** What the list of devices calls this one. */
  device_name: string;
}

export interface Api {
  createGuest(): Promise<Device>;
  /** Throws `Unauthorized` if the token is no longer good. */
  ticket(token: string): Promise<string>;
  catalogue(): Promise<unknown>;
  /** With a guest's token its hero becomes the account's. */
  register(credentials: Credentials, guestToken: string | null): Promise<Session>;
  login(credentials: Credentials): Promise<Session>;
  /** By the cookie alone. Throws `Unauthorized` if the login is over. */
  refresh(): Promise<Session>;
  logout(token: string | null): Promise<void>;
}

/**
 * A lost answer to a rotation must be asked for again within the server's grace of 10 s, or the old token counts as
 * stolen: so this one gives up early, and the connection's first waits are short.
 */
const REFRESH_TIMEOUT_MS = 4_000;

export function httpApi(send: Send): Api {
  const ask = async (...request: Parameters<Send>): Promise<unknown> => (await send(...request)).json();
  return {
    async createGuest() {
      const answer = await ask('POST', '/v1/guests');
      if (!isDevice(answer)) throw new Error('the answer to /v1/guests has no hero and token');
      return { hero_id: answer.hero_id, device_token: answer.device_token };
    },
    async ticket(token) {
      const answer = await ask('POST', '/v1/ws-ticket', { token });
      if (!isRecord(answer) || typeof answer['ticket'] !== 'string') throw new Error('no ticket in the answer');
      return answer['ticket'];
    },
    catalogue: () => ask('GET', '/v1/catalogue'),
    async register(credentials, guestToken) {
      return session(await ask('POST', '/v1/auth/register', { json: credentials, token: guestToken ?? undefined }));
    },
    async login(credentials) {
      return session(await ask('POST', '/v1/auth/login', { json: credentials }));
    },
    async refresh() {
      return session(await ask('POST', '/v1/auth/refresh', { json: {}, timeoutMs: REFRESH_TIMEOUT_MS }));
    },
    async logout(token) {
      await send('POST', '/v1/auth/logout', { json: {}, token: token ?? undefined });
    },
  };
}

function session(answer: unknown): Session {
  if (!isSession(answer)) throw new Error('the answer is no login');
  // No more than is needed: it is told to the other tabs.
  const { access_token, expires_in_ms, account_id, hero_id, device_id } = answer;
  return { access_token, expires_in_ms, account_id, hero_id, device_id };
}

export function isSession(value: unknown): value is Session {
  return (
    isRecord(value) &&
    typeof value['expires_in_ms'] === 'number' &&
    ['access_token', 'account_id', 'hero_id', 'device_id'].every((name) => typeof value[name] === 'string')
  );
}

export function isDevice(value: unknown): value is Device {
  return isRecord(value) && typeof value['hero_id'] === 'string' && typeof value['device_token'] === 'string';
}

export function readDevice(storage: KeyValue): Device | null {
  return readJson(storage, KEY.device, isDevice);
}
