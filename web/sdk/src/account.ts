/** What an account, and partly a guest, may ask about itself. Every call goes out under the credential of this device. */

import { type Auth } from './auth';
import { ApiError, type Send } from './http';
import { isRecord } from './storage';

/** `GET /v1/me`. */
export interface Me {
  account_id: string;
  hero_id: string;
  mail: string | null;
  mail_verified: boolean;
  /** An account of another identity provider may have none. */
  has_password: boolean;
  /** What mails call the player; the hero has a name of its own. */
  name: string | null;
  avatar_url: string | null;
  erase_at_ms: number | null;
  created_at_ms: number;
  device_id: string;
}

export interface DeviceLine {
  device_id: string;
  name: string;
  created_at_ms: number;
  last_seen_ms: number;
  current: boolean;
  kind: 'session' | 'guest';
}

/** One hero in the preview of a claim. */
export interface Side {
  level: number;
  energy_me: number;
  dopamine_md: number;
  focus_ms: number;
  sessions: number;
  active_days: number;
  streak_days: number;
  tasks: number;
  modules: number;
}

export interface ClaimPreview {
  guest: Side;
  account: Side;
  united: Side;
  tasks_added: number;
  /** Module ids that the account did not have. */
  modules_added: string[];
  /** Energy back for what both had. */
  refunded_me: number;
}

/** A picture may be this large; the server refuses more. */
export const AVATAR_BYTES_MAX = 2 * 1_024 * 1_024;

/** An export or a picture over a slow line takes its time. */
const LARGE_TIMEOUT_MS = 60_000;

export class Account {
  constructor(
    private readonly send: Send,
    private readonly auth: Auth,
  ) {}

  async me(): Promise<Me> {
    return me(await this.#json('GET', '/v1/me'));
  }

  async rename(name: string): Promise<Me> {
    return me(await this.#json('PATCH', '/v1/me', { name }));
  }

  async changePassword(old: string, fresh: string): Promise<void> {
    await this.#ask('POST', '/v1/me/password', { old, new: fresh });
  }

  async resendMail(): Promise<void> {
    await this.#ask('POST', '/v1/auth/mail/resend', {});
  }

  async verifyMail(code: string): Promise<void> {
    await this.send('POST', '/v1/auth/mail/verify', { json: { code } });
  }

  async forgotPassword(mail: string): Promise<void> {
    await this.send('POST', '/v1/auth/password/forgot', { json: { mail } });
  }

  async resetPassword(code: string, password: string): Promise<void> {
    await this.send('POST', '/v1/auth/password/reset', { json: { code, password } });
  }

  async devices(): Promise<DeviceLine[]> {
    const answer = await this.#json('GET', '/v1/me/devices');
    if (!isRecord(answer) || !Array.isArray(answer['devices'])) throw new Error('no devices in the answer');
    return answer['devices'] as DeviceLine[];
  }

  async signOut(deviceId: string): Promise<void> {
    try {
      await this.#ask('DELETE', `/v1/me/devices/${encodeURIComponent(deviceId)}`);
    } catch (error) {
      // Already gone is what was asked for.
      if (!(error instanceof ApiError && error.status === 404)) throw error;
    }
  }

  async uploadAvatar(picture: Blob): Promise<string | null> {
    const answer: unknown = await this.auth.authorised(async ({ token }) =>
      (await this.send('PUT', '/v1/me/avatar', { token, body: picture, timeoutMs: LARGE_TIMEOUT_MS })).json(),
    );
    return isRecord(answer) && typeof answer['avatar_url'] === 'string' ? answer['avatar_url'] : null;
  }

  async removeAvatar(): Promise<void> {
    await this.#ask('DELETE', '/v1/me/avatar');
  }

  /** Everything, as one file; a very long history comes in several, one after the other. */
  async *exportJson(): AsyncGenerator<File> {
    let path = '/v1/me/export.json';
    for (let part = 1; ; part += 1) {
      const file = await this.#file(path);
      yield part === 1 ? file : new File([file], file.name.replace(/\.json$/, `-${part}.json`), { type: file.type });
      const next = await nextSeq(file);
      if (next === null) return;
      path = `/v1/me/export.json?from_seq=${next}`;
    }
  }

  ledgerCsv(): Promise<File> {
    return this.#file('/v1/me/ledger.csv');
  }

  /**
   * An account's hero is hidden at once; gives back when it is erased for good. An account says its password if it has one.
   * A guest's hero is gone with the answer.
   */
  async erase(password: string | null): Promise<number> {
    const answer = await this.#json('DELETE', '/v1/me', password === null ? {} : { password });
    if (!isRecord(answer) || typeof answer['erase_at_ms'] !== 'number') throw new Error('no date in the answer');
    return answer['erase_at_ms'];
  }

  async restore(): Promise<void> {
    await this.#ask('POST', '/v1/me/restore', {});
  }

  async previewClaim(guestToken: string): Promise<ClaimPreview> {
    return preview(await this.#json('POST', '/v1/me/claim/preview', { device_token: guestToken }));
  }

  /** Brings the guest's hero into the account's. The same again changes nothing. */
  async claim(guestToken: string): Promise<void> {
    await this.#ask('POST', '/v1/me/claim', { device_token: guestToken });
  }

  #ask(method: string, path: string, json?: unknown): Promise<Response> {
    return this.auth.authorised(({ token }) => this.send(method, path, { token, json }));
  }

  async #json(method: string, path: string, json?: unknown): Promise<unknown> {
    return (await this.#ask(method, path, json)).json();
  }

  #file(path: string): Promise<File> {
    return this.auth.authorised(async ({ token }) => {
      const answer = await this.send('GET', path, { token, timeoutMs: LARGE_TIMEOUT_MS });
      const name = /filename="([\w.-]+)"/.exec(answer.headers.get('content-disposition') ?? '')?.[1] ?? 'dopamine-hero';
      const blob = await answer.blob();
      return new File([blob], name, { type: blob.type });
    });
  }
}

/** Where an export goes on; it is the last thing that the document says, and the document may be large. */
async function nextSeq(file: File): Promise<string | null> {
  const end = await file.slice(-64).text();
  return /"next_seq":(\d+)\}\}\s*$/.exec(end)?.[1] ?? null;
}

function me(answer: unknown): Me {
  const isMe = isRecord(answer) && typeof answer['account_id'] === 'string' && typeof answer['hero_id'] === 'string';
  if (!isMe) throw new Error('the answer to /v1/me is no account');
  return answer as unknown as Me;
}

function preview(answer: unknown): ClaimPreview {
  const isPreview = isRecord(answer) && ['guest', 'account', 'united'].every((side) => isRecord(answer[side]));
  if (!isPreview) throw new Error('the answer is no preview');
  return answer as unknown as ClaimPreview;
}
