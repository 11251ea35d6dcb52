/** Requests to the server: what is sent, what is an answer, and what an error says. */

import { isRecord } from './storage';

/** The server's refusal: a code to branch on and a hint for a person. A network that is away is no `ApiError`. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly hint: string,
    /** When to come back, if the server said so. */
    readonly retryAfterS: number | null = null,
  ) {
    super(`${status} ${code}`);
  }
}

/** The login that was shown is not, or no longer, good. */
export class Unauthorized extends ApiError {
  constructor(hint = '') {
    super(401, 'unauthenticated', hint);
  }
}

export interface Ask {
  /** Shown as `Authorization: Bearer`. */
  token?: string | undefined;
  json?: unknown;
  /** Sent as it is, under its own content type. */
  body?: Blob;
  timeoutMs?: number;
}

export type Send = (method: string, path: string, ask?: Ask) => Promise<Response>;

const TIMEOUT_MS = 10_000;

/** Throws `ApiError` for an answer that is none, and the browser's own error if there was no answer. */
export function sender(base: string, fetchFn: typeof fetch): Send {
  return async (method, path, ask = {}) => {
    const headers: Record<string, string> = {};
    if (ask.token !== undefined) headers['authorization'] = `Bearer ${ask.token}`;
    if (ask.json !== undefined) headers['content-type'] = 'application/json';
    else if (ask.body !== undefined) headers['content-type'] = ask.body.type;
    const response = await fetchFn(base + path, {
      method,
      headers,
      // The refresh cookie is ours and goes nowhere else.
      credentials: 'same-origin',
      signal: AbortSignal.timeout(ask.timeoutMs ?? TIMEOUT_MS),
      ...(ask.json !== undefined ? { body: JSON.stringify(ask.json) } : {}),
      ...(ask.body !== undefined ? { body: ask.body } : {}),
    });
    if (!response.ok) throw await errorOf(response);
    return response;
  };
}

async function errorOf(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null);
  const text = (name: string) => (isRecord(body) && typeof body[name] === 'string' ? body[name] : '');
  const code = text('code') || (response.status === 401 ? 'unauthenticated' : `status_${response.status}`);
  // Other codes under 401 are about what was typed, such as a wrong password.
  if (response.status === 401 && code === 'unauthenticated') return new Unauthorized(text('hint'));
  const after = Number(response.headers.get('retry-after') ?? Number.NaN);
  return new ApiError(response.status, code, text('hint'), Number.isFinite(after) ? after : null);
}
