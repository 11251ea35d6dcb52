/** The account routes of a server, in memory: rotation with reuse detection, as docs/protocol.md tells it. */

export interface Asked {
  method: string;
  path: string;
  bearer: string | null;
  body: unknown;
  credentials: string | undefined;
}

/** Cookies of one browser; the pages never see them. */
export class CookieJar {
  refresh: string | null = null;
  /** A browser that takes no cookies. */
  isClosed = false;
}

interface Login {
  account: string;
  hero: string;
  device: string;
  isRevoked: boolean;
}

const ACCESS_MS = 600_000;

export class LoginServer {
  readonly asked: Asked[] = [];
  isDown = false;
  /** Rotations that are answered only when the test says so. */
  held: (() => void)[] | null = null;
  rotations = 0;
  mostRotationsAtOnce = 0;
  reuses = 0;
  #rotating = 0;
  #count = 0;
  readonly #logins = new Map<string, Login>();
  readonly #refresh = new Map<string, { login: Login; isUsed: boolean }>();
  readonly #access = new Map<string, { login: Login; untilMs: number }>();
  readonly #guests = new Map<string, string>();
  readonly #accounts = new Map<string, { password: string; account: string; hero: string }>();

  constructor(private readonly nowMs: () => number) {}

  /** What a page of this browser calls `fetch`. */
  fetchOf(jar: CookieJar): typeof fetch {
    return (async (url: string, init: RequestInit) => {
      await Promise.resolve();
      if (this.isDown) throw new TypeError('fetch failed');
      const headers = new Headers(init.headers);
      const bearer = headers.get('authorization')?.replace('Bearer ', '') ?? null;
      const body: unknown = typeof init.body === 'string' ? JSON.parse(init.body) : null;
      const asked = { method: init.method ?? 'GET', path: url, bearer, body, credentials: init.credentials };
      this.asked.push(asked);
      return this.#answer(asked, jar);
    }) as typeof fetch;
  }

  revokeAll(): void {
    for (const login of this.#logins.values()) login.isRevoked = true;
  }

  takeBack(guestToken: string): void {
    this.#guests.delete(guestToken);
  }

  /** As after a change of the server's keys: only the cookies are still good. */
  forgetAccess(): void {
    this.#access.clear();
  }

  /** As if an account had been made elsewhere. */
  addAccount(mail: string, password: string, hero: string): void {
    this.#accounts.set(mail, { password, account: `account-${(this.#count += 1)}`, hero });
  }

  async #answer(asked: Asked, jar: CookieJar): Promise<Response> {
    const { method, path, bearer } = asked;
    const fields = (asked.body ?? {}) as Record<string, string>;
    switch (`${method} ${path}`) {
      case 'POST /v1/guests': {
        const guest = `hero-${(this.#count += 1)}`;
        this.#guests.set(`dh_${guest}`, guest);
        return json(201, { hero_id: guest, device_token: `dh_${guest}` });
      }
      case 'POST /v1/ws-ticket':
        return this.#heroOf(bearer) === null ? refusal(401, 'unauthenticated') : json(200, { ticket: `ticket of ${this.#heroOf(bearer)}` });
      case 'GET /v1/me':
        return this.#heroOf(bearer) === null ? refusal(401, 'unauthenticated') : json(200, { account_id: 'a', hero_id: this.#heroOf(bearer) });
      case 'POST /v1/auth/register': {
        const hero = (bearer === null ? null : this.#guests.get(bearer)) ?? `hero-${(this.#count += 1)}`;
        const account = `account-${(this.#count += 1)}`;
        this.#accounts.set(fields['mail'] ?? '', { password: fields['password'] ?? '', account, hero });
        return this.#session(201, account, hero, jar);
      }
      case 'POST /v1/auth/login': {
        const known = this.#accounts.get(fields['mail'] ?? '');
        if (known?.password !== fields['password'] || known === undefined) return refusal(401, 'wrong_login');
        return this.#session(200, known.account, known.hero, jar);
      }
      case 'POST /v1/auth/refresh':
        return this.#rotate(jar);
      case 'POST /v1/auth/logout': {
        const kept = jar.refresh === null ? undefined : this.#refresh.get(jar.refresh);
        if (kept !== undefined) kept.login.isRevoked = true;
        jar.refresh = null;
        return json(204, null);
      }
      default:
        return refusal(404, 'not_found');
    }
  }

  #heroOf(bearer: string | null): string | null {
    if (bearer === null) return null;
    const guest = this.#guests.get(bearer);
    if (guest !== undefined) return guest;
    const access = this.#access.get(bearer);
    return access === undefined || access.login.isRevoked || access.untilMs <= this.nowMs() ? null : access.login.hero;
  }

  /** Here a used token has no grace at all, so that any rotation at once shows. */
  async #rotate(jar: CookieJar): Promise<Response> {
    const presented = jar.refresh;
    this.#rotating += 1;
    this.mostRotationsAtOnce = Math.max(this.mostRotationsAtOnce, this.#rotating);
    if (this.held !== null) await new Promise<void>((go) => this.held?.push(go));
    this.#rotating -= 1;
    const kept = presented === null ? undefined : this.#refresh.get(presented);
    if (kept === undefined || kept.login.isRevoked) return refusal(401, 'unauthenticated');
    if (kept.isUsed) {
      this.reuses += 1;
      kept.login.isRevoked = true;
      return refusal(401, 'unauthenticated');
    }
    kept.isUsed = true;
    this.rotations += 1;
    return this.#answerFor(200, kept.login, jar);
  }

  #session(status: number, account: string, hero: string, jar: CookieJar): Response {
    const login = { account, hero, device: `device-${(this.#count += 1)}`, isRevoked: false };
    this.#logins.set(login.device, login);
    return this.#answerFor(status, login, jar);
  }

  #answerFor(status: number, login: Login, jar: CookieJar): Response {
    const number = (this.#count += 1);
    this.#refresh.set(`refresh-${number}`, { login, isUsed: false });
    this.#access.set(`access-${number}`, { login, untilMs: this.nowMs() + ACCESS_MS });
    if (!jar.isClosed) jar.refresh = `refresh-${number}`;
    return json(status, {
      access_token: `access-${number}`,
      expires_in_ms: ACCESS_MS,
      account_id: login.account,
      hero_id: login.hero,
      device_id: login.device,
    });
  }
}

/** Answers at once: a real body takes turns of the event loop that a test with its own time would have to wait for. */
function json(status: number, body: unknown): Response {
  const headers = new Headers({ 'content-type': 'application/json' });
  return { status, ok: status < 300, headers, json: async () => body } as unknown as Response;
}

function refusal(status: number, code: string): Response {
  return json(status, { code, hint: `because ${code}`, request_id: 'r' });
}
