/** What is not real time: the guest, the ticket, the catalogue. */

import { isRecord, KEY, type KeyValue, readJson } from './storage';

export interface Device {
  hero_id: string;
  device_token: string;
}

export interface Api {
  createGuest(): Promise<Device>;
  /** Throws `Unauthorized` if the device token is no longer good. */
  ticket(deviceToken: string): Promise<string>;
  catalogue(): Promise<unknown>;
}

export class Unauthorized extends Error {}

const TIMEOUT_MS = 10_000;

export function httpApi(base: string, fetchFn: typeof fetch = fetch): Api {
  async function call(method: string, path: string, headers: Record<string, string> = {}): Promise<unknown> {
    const response = await fetchFn(base + path, { method, headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (response.status === 401) throw new Unauthorized(path);
    if (!response.ok) throw new Error(`${path} answered ${response.status}`);
    return response.json();
  }
  return {
    async createGuest() {
      const answer = await call('POST', '/v1/guests');
      if (!isDevice(answer)) throw new Error('the answer to /v1/guests has no hero and token');
      return { hero_id: answer.hero_id, device_token: answer.device_token };
    },
    async ticket(deviceToken) {
      const answer = await call('POST', '/v1/ws-ticket', { authorization: `Bearer ${deviceToken}` });
      if (!isRecord(answer) || typeof answer['ticket'] !== 'string') throw new Error('no ticket in the answer');
      return answer['ticket'];
    },
    catalogue: () => call('GET', '/v1/catalogue'),
  };
}

export function isDevice(value: unknown): value is Device {
  return isRecord(value) && typeof value['hero_id'] === 'string' && typeof value['device_token'] === 'string';
}

export function readDevice(storage: KeyValue): Device | null {
  return readJson(storage, KEY.device, isDevice);
}
