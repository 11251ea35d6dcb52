/** Requests to the operators' listener: what is sent, what is an answer, and what went wrong in words. */

/** Why a request has no answer. Whatever was typed stays where it is. */
export class Failed extends Error {
  constructor(
    /** 0: there was no answer at all. */
    readonly status: number,
    readonly code: string,
    readonly hint: string,
    /** Names the request in the server's log. */
    readonly requestId: string | null = null,
    readonly retryAfterS: number | null = null,
  ) {
    super(`${status} ${code}`);
  }
}

const TIMEOUT_MS = 20_000;
/** A dry run looks at every hero in memory, an export reads a whole journal. */
const LONG_TIMEOUT_MS = 90_000;

const AWAY = new Failed(0, 'away', 'The server does not answer. What you see may be old; try again when it is back.');
const UNSURE = new Failed(
  0,
  'unsure',
  'The connection broke before the answer came, so it is not known whether it was done. Look before you try again.',
);

export interface Answer<T> {
  status: number;
  body: T;
  /** Server time minus this machine's, by the answer's date. Whole seconds, so never better than that. */
  skewMs: number | null;
}

export interface Ask {
  signal?: AbortSignal | undefined;
  /** Nobody did this: it says nothing about whether the operator is there. */
  isBackground?: boolean;
  isLong?: boolean;
}

export class Api {
  /** Bound to the session; a cookie alone does nothing. */
  csrfToken: string | null = null;
  /** The session is over. Called for every answer that says so. */
  onSignedOut: () => void = () => undefined;
  /** Somebody did something, so that the server counts anew how long the session may rest. */
  onActivity: () => void = () => undefined;

  readonly #fetch: typeof fetch;
  readonly #renew: () => Promise<void>;

  /** `renew` asks for the session again: another tab may have logged in anew, and the token is then another one. */
  constructor(fetchFn: typeof fetch, renew: (api: Api) => Promise<void>) {
    this.#fetch = fetchFn;
    this.#renew = () => renew(this);
  }

  async get<T>(path: string, ask: Ask = {}): Promise<T> {
    return (await this.ask<T>('GET', path, undefined, ask)).body;
  }

  async post<T>(path: string, body: unknown, ask: Ask = {}): Promise<Answer<T>> {
    const before = this.csrfToken;
    try {
      return await this.ask<T>('POST', path, body, ask);
    } catch (error) {
      if (!(error instanceof Failed) || error.code !== 'csrf') throw error;
      await this.#renew();
      if (this.csrfToken === before) throw error;
      return this.ask<T>('POST', path, body, ask);
    }
  }

  /** A file that the server makes. */
  async download(path: string, body: unknown): Promise<Blob> {
    const response = await this.#send('POST', path, body, { isLong: true });
    return response.blob();
  }

  async ask<T>(method: 'GET' | 'POST', path: string, body: unknown, ask: Ask): Promise<Answer<T>> {
    const response = await this.#send(method, path, body, ask);
    const text = response.status === 204 ? '' : await response.text().catch(() => '');
    return { status: response.status, body: parse(text) as T, skewMs: skewOf(response) };
  }

  async #send(method: 'GET' | 'POST', path: string, body: unknown, ask: Ask): Promise<Response> {
    const headers: Record<string, string> = { accept: 'application/json' };
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (method !== 'GET' && this.csrfToken !== null) headers['x-csrf-token'] = this.csrfToken;
    const timeout = AbortSignal.timeout(ask.isLong === true ? LONG_TIMEOUT_MS : TIMEOUT_MS);
    const fetchFn = this.#fetch;
    const response = await fetchFn(path, {
      method,
      headers,
      credentials: 'same-origin',
      cache: 'no-store',
      signal: ask.signal === undefined ? timeout : AbortSignal.any([timeout, ask.signal]),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }).catch((error: unknown) => {
      if (ask.signal?.aborted === true) throw error;
      throw method === 'GET' ? AWAY : UNSURE;
    });
    if (!response.ok) {
      const failure = await failureOf(response);
      if (failure.status === 401 && failure.code === 'unauthenticated') this.onSignedOut();
      throw failure;
    }
    if (ask.isBackground !== true) this.onActivity();
    return response;
  }
}

function parse(text: string): unknown {
  try {
    return text === '' ? null : JSON.parse(text);
  } catch {
    throw new Failed(0, 'malformed_answer', 'The answer is not what this page understands. Reload the page; if that does not help, the log says more.');
  }
}

async function failureOf(response: Response): Promise<Failed> {
  const body: unknown = await response.json().catch(() => null);
  const text = (name: string): string | null => {
    const value = typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : null;
    return typeof value === 'string' && value !== '' ? value : null;
  };
  const after = Number(response.headers.get('retry-after') ?? Number.NaN);
  return new Failed(
    response.status,
    text('code') ?? (response.status === 401 ? 'unauthenticated' : `status_${response.status}`),
    text('hint') ?? 'The server gave no reason; its log says more.',
    text('request_id'),
    Number.isFinite(after) ? after : null,
  );
}

function skewOf(response: Response): number | null {
  const date = Date.parse(response.headers.get('date') ?? '');
  return Number.isFinite(date) ? date - Date.now() : null;
}

/** Whatever was thrown, as something that can be shown. */
export function failed(error: unknown): Failed {
  if (error instanceof Failed) return error;
  return new Failed(0, 'page', `A mistake of this page: ${error instanceof Error ? error.message : String(error)}. Reload it.`);
}

/** Whether a request was given up by this page itself. */
export function isAborted(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}
