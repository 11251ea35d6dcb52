import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Api, Failed } from '../api';
import type { Overview, Session } from '../api.gen';
import { Live, type Source } from '../live';
import { endOf, SessionStore, type SignedIn } from '../session';

type Handler = (method: string, path: string, headers: Record<string, string>, body: unknown) => Response | Error;

function fetchOf(handler: Handler): typeof fetch {
  return async (input, init = {}) => {
    const answer = handler(init.method ?? 'GET', String(input), init.headers as Record<string, string>, JSON.parse((init.body as string | undefined) ?? 'null'));
    if (answer instanceof Error) throw answer;
    return answer;
  };
}

const json = (body: unknown, status = 200, headers: Record<string, string> = {}) => new Response(JSON.stringify(body), { status, headers });
const sessionOf = (change: Partial<Session> = {}): Session => ({
  state: 'signed_in', operator: { name: 'mira', role: 'owner' }, csrf_token: 'token', environment: 'development', idle_until_ms: Date.now() + 900_000, ends_at_ms: Date.now() + 28_800_000, ...change,
});

describe('requests', () => {
  const signedOut = vi.fn();
  const make = (handler: Handler) => {
    const api = new Api(fetchOf(handler), async () => undefined);
    api.onSignedOut = signedOut;
    return api;
  };
  beforeEach(() => signedOut.mockClear());

  it('a refusal carries what to do and where the log speaks of it', async () => {
    const api = make(() => json({ code: 'busy', hint: 'try again', request_id: 'ab' }, 503, { 'retry-after': '7' }));
    await expect(api.get('/v1/system')).rejects.toMatchObject({ status: 503, code: 'busy', hint: 'try again', requestId: 'ab', retryAfterS: 7 });
  });
  it('no answer to a question is harmless; no answer to a wish is not known', async () => {
    const api = make(() => new TypeError('network'));
    await expect(api.get('/v1/system')).rejects.toMatchObject({ code: 'away' });
    await expect(api.post('/v1/drain', {})).rejects.toMatchObject({ code: 'unsure' });
  });
  it('a refusal that is no JSON is still one', async () => {
    const api = make(() => new Response('<html>', { status: 502 }));
    await expect(api.get('/v1/system')).rejects.toMatchObject({ code: 'status_502' });
  });
  it('the token goes with wishes and with nothing else', async () => {
    const seen: (string | undefined)[] = [];
    const api = make((_method, _path, headers) => {
      seen.push(headers['x-csrf-token']);
      return json({});
    });
    api.csrfToken = 'token';
    await api.get('/v1/system');
    await api.post('/v1/banner', {});
    expect(seen).toEqual([undefined, 'token']);
  });
  it('a session that is over is noticed, a wrong login is no such thing', async () => {
    await expect(make(() => json({ code: 'wrong_login' }, 401)).post('/v1/login', {})).rejects.toBeInstanceOf(Failed);
    expect(signedOut).not.toHaveBeenCalled();
    await expect(make(() => json({ code: 'unauthenticated' }, 401)).get('/v1/system')).rejects.toBeInstanceOf(Failed);
    expect(signedOut).toHaveBeenCalledOnce();
  });
});

describe('the session', () => {
  it('another tab logged in anew: the wish is sent again with the new token, once', async () => {
    let token = 'old';
    let wishes = 0;
    const store = new SessionStore(
      fetchOf((method, path, headers) => {
        if (path === '/v1/session') return json(sessionOf({ csrf_token: token }));
        if (method === 'POST') wishes += 1;
        return headers['x-csrf-token'] === 'new' ? new Response(null, { status: 204 }) : json({ code: 'csrf', hint: '' }, 403);
      }),
    );
    await store.load();
    token = 'new';
    await store.api.post('/v1/banner', {});
    expect(wishes).toBe(2);
  });

  it('is over without the page being gone, and goes on after a login', async () => {
    let answer = sessionOf();
    const store = new SessionStore(fetchOf((_method, path) => (path === '/v1/system' ? json({ code: 'unauthenticated' }, 401) : json(answer))));
    await store.load();
    await expect(store.api.get('/v1/system')).rejects.toBeInstanceOf(Failed);
    expect(store.get()).toMatchObject({ phase: 'signed_in', isOver: true });
    answer = sessionOf();
    await store.login('mira', 'x', '123456');
    expect(store.get()).toMatchObject({ phase: 'signed_in', isOver: false });
  });

  it('a server that is away ends no session', async () => {
    let isAway = false;
    const store = new SessionStore(fetchOf(() => (isAway ? new TypeError('network') : json(sessionOf()))));
    await store.load();
    isAway = true;
    await store.load();
    expect(store.get()).toMatchObject({ phase: 'signed_in', isOver: false });
  });

  it('is kept alive by asking for something that counts', async () => {
    const asked: string[] = [];
    const store = new SessionStore(
      fetchOf((_method, path) => {
        asked.push(path);
        return json(path === '/v1/session' ? sessionOf() : []);
      }),
    );
    await store.load();
    await store.stay();
    expect(asked).toEqual(['/v1/session', '/v1/outages', '/v1/session']);
  });

  it('a logout leaves nothing', async () => {
    const store = new SessionStore(fetchOf((_method, path) => (path === '/v1/logout' ? new Response(null, { status: 204 }) : json(sessionOf()))));
    await store.load();
    await store.logout();
    expect(store.get()).toEqual({ phase: 'anonymous', environment: 'development' });
    expect(store.api.csrfToken).toBeNull();
  });

  it('says what ends first, and only when it is near', () => {
    const session: SignedIn = { phase: 'signed_in', name: 'mira', role: 'owner', environment: '', idleUntilMs: 900_000, endsAtMs: 28_800_000, isOver: false };
    expect(endOf(session, 0, 120_000)).toBeNull();
    expect(endOf(session, 790_000, 120_000)).toEqual({ why: 'idle', atMs: 900_000 });
    expect(endOf({ ...session, idleUntilMs: 29_000_000 }, 28_700_000, 120_000)).toEqual({ why: 'age', atMs: 28_800_000 });
  });
});

describe('live figures', () => {
  const overview = { simulation: {}, version: '1' } as Overview;
  let sources: (Source & { closed: boolean })[];
  let ask: () => Promise<Overview>;
  let live: Live;

  beforeEach(() => {
    vi.useFakeTimers();
    sources = [];
    ask = () => Promise.reject(new Failed(0, 'away', ''));
    live = new Live({
      open: () => {
        const source = { closed: false, onmessage: null as Source['onmessage'], isClosed: () => source.closed, close: () => (source.closed = true) };
        sources.push(source);
        return source;
      },
      ask: () => ask(),
      now: () => Date.now(),
    });
    live.start();
  });
  afterEach(() => {
    live.stop();
    vi.useRealTimers();
  });
  const send = (data: string) => sources.at(-1)?.onmessage?.(data);

  it('come by the stream', () => {
    send(JSON.stringify(overview));
    expect(live.get()).toMatchObject({ line: 'live', overview });
  });
  it('that make no sense are left out', () => {
    send('{');
    send('[]');
    send('null');
    expect(live.get()).toMatchObject({ line: 'connecting', overview: null });
  });
  it('a stream that falls silent is asked for, and what was seen stays with its moment', async () => {
    send(JSON.stringify(overview));
    const seenAtMs = Date.now();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(live.get()).toMatchObject({ line: 'lost', overview, seenAtMs });
    ask = () => Promise.resolve(overview);
    await vi.advanceTimersByTimeAsync(6_000);
    expect(live.get().line).toBe('polling');
    send(JSON.stringify(overview));
    expect(live.get().line).toBe('live');
  });
  it('a stream that was refused is opened again, not all the time', async () => {
    const [first] = sources;
    if (first !== undefined) first.closed = true;
    await vi.advanceTimersByTimeAsync(31_000);
    expect(sources.length).toBeGreaterThanOrEqual(2);
    expect(sources.length).toBeLessThanOrEqual(4);
  });
  it('nothing is asked after the end', async () => {
    live.stop();
    const asked = vi.fn(() => Promise.resolve(overview));
    ask = asked;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).not.toHaveBeenCalled();
  });
});
