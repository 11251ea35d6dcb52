/** The player's client on a host of its own (`vercel.json`) is sent as the server sends it itself. */

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join, relative, resolve } from 'node:path';
import { getTransformedRoutes, type Route } from '@vercel/routing-utils';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshTab, GameServer, launch, startButton, status } from './harness';

const DIST = resolve(import.meta.dirname, '../player/dist');
const FILES = readdirSync(DIST, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => `/${relative(DIST, join(entry.parentPath, entry.name))}`);
/** Pages of the client, and names that look like one. */
const PAGES = ['/', '/verify-mail', '/tasks/', '/any/page', '/a.b/page', '/v1x'];
/** Nothing is there. */
const NOTHING = ['/assets/none-12345678.js', '/robots.txt', '/any/file.js'];
/** What belongs to one answer, or to the server's other answers. */
const NOT_COMPARED = ['connection', 'content-length', 'content-type', 'date', 'keep-alive', 'vary', 'x-request-id'];

interface Answer {
  status: number;
  /** Which file it was. */
  file: string | null;
  headers: Record<string, string>;
}

let server: GameServer;
let hosted: Route[];

beforeAll(async () => {
  const settings = JSON.parse(readFileSync(resolve(import.meta.dirname, '../vercel.json'), 'utf8')) as object;
  const { routes, error } = getTransformedRoutes(settings);
  if (error !== null || routes === null) throw new Error(`vercel.json: ${error?.message ?? 'has no routes'}`);
  hosted = routes;
  const secret = randomBytes(32).toString('base64');
  server = await GameServer.start({ APP_ENV: 'production', SECRET_KEYS: secret });
});

afterAll(async () => {
  await server?.remove();
});

/** What the host answers: headers of every rule before the files, then a file, then the first rewrite. */
function fromHost(path: string): Answer | { proxied: string } {
  const headers: Record<string, string> = {};
  let isAfterFiles = false;
  for (const route of hosted) {
    if ('handle' in route) {
      if (route.handle !== 'filesystem') throw new Error(`a rule that this test does not know: ${route.handle}`);
      isAfterFiles = true;
      if (FILES.includes(path)) return { status: 200, file: path, headers };
      continue;
    }
    const match = new RegExp(route.src).exec(path);
    if (match === null) continue;
    if (!isAfterFiles) {
      for (const [name, value] of Object.entries(route.headers ?? {})) headers[name.toLowerCase()] = String(value);
      if (route.status !== undefined) return { status: route.status, file: null, headers };
    } else if (route.dest !== undefined) {
      const target = route.dest.replaceAll(/\$(\d)/g, (_, group: string) => match[Number(group)] ?? '');
      return target.startsWith('https://') ? { proxied: target } : { status: 200, file: target, headers };
    }
  }
  return { status: 404, file: null, headers };
}

async function fromServer(path: string): Promise<Answer> {
  const answer = await fetch(new URL(path, server.url));
  const bytes = Buffer.from(await answer.arrayBuffer());
  const file = path === '/' || !FILES.includes(path) ? '/index.html' : path;
  const isFile = answer.status === 200 && bytes.equals(readFileSync(join(DIST, file)));
  const headers = Object.fromEntries([...answer.headers].filter(([name]) => !NOT_COMPARED.includes(name)));
  return { status: answer.status, file: isFile ? file : null, headers };
}

/** The only difference that is wanted: pages of another host open their socket at the server's. */
function withoutSocketHost(policy: string | undefined): string | undefined {
  return policy?.replace(/; connect-src 'self' wss:\/\/[\w.-]+$/, '');
}

describe('vercel.json', () => {
  it.each([...FILES, ...PAGES])('sends %s as the server does', async (path) => {
    const [here, there] = [await fromServer(path), fromHost(path)];
    if ('proxied' in there) throw new Error(`${path} goes to ${there.proxied}`);
    const policy = there.headers['content-security-policy'];
    expect(policy).toMatch(/; connect-src 'self' wss:\/\//);
    expect(here.file).not.toBeNull();
    expect({ ...there, file: there.file === '/' ? '/index.html' : there.file }).toEqual({
      ...here,
      headers: { ...here.headers, 'content-security-policy': policy },
    });
    expect(withoutSocketHost(policy)).toBe(here.headers['content-security-policy']);
  });

  it.each(NOTHING)('has no %s, as the server has none', async (path) => {
    expect((await fromServer(path)).status).toBe(404);
    expect(fromHost(path)).toMatchObject({ status: 404 });
  });

  it('leaves the API to the host that the socket is opened at', () => {
    const proxied = (path: string) => {
      const answer = fromHost(path);
      return 'proxied' in answer ? new URL(answer.proxied) : null;
    };
    const api = proxied('/v1/me/devices');
    expect(api?.pathname).toBe('/v1/me/devices');
    expect(proxied('/v1/avatars/a.png')?.pathname).toBe('/v1/avatars/a.png');
    const page = fromHost('/');
    const policy = 'headers' in page ? page.headers['content-security-policy'] : undefined;
    expect(policy).toContain(`connect-src 'self' wss://${api?.host}`);
  });
});

const TYPES: Record<string, string> = { '.css': 'text/css', '.html': 'text/html', '.js': 'text/javascript', '.svg': 'image/svg+xml' };

/** Sends the files of a folder with the headers of vercel.json, and passes /v1 on, as that host does: requests, no sockets. */
async function host(folder: string, headers: Record<string, string>, api: () => string): Promise<Server> {
  const page = createServer(async (request, response) => {
    const path = request.url ?? '/';
    const body: Buffer[] = [];
    for await (const chunk of request) body.push(chunk as Buffer);
    if (path.startsWith('/v1/')) {
      const passed = new Headers(Object.entries(request.headers).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])));
      for (const own of ['connection', 'content-length', 'host', 'transfer-encoding']) passed.delete(own);
      const answer = await fetch(new URL(path, api()), {
        method: request.method ?? 'GET',
        headers: passed,
        ...(body.length > 0 ? { body: Buffer.concat(body) } : {}),
      });
      response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(Buffer.from(await answer.arrayBuffer()));
      return;
    }
    const file = extname(path) === '' ? 'index.html' : path;
    response.writeHead(200, { ...headers, 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' });
    response.end(readFileSync(join(folder, file)));
  });
  page.listen(0, '127.0.0.1');
  await once(page, 'listening');
  return page;
}

it('a page on a host of its own plays over a socket to the server', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'dopamine-hero-host-'));
  const browser = await launch();
  const here = fromHost('/');
  const policy = 'headers' in here ? (here.headers['content-security-policy'] ?? '') : '';
  const headers: Record<string, string> = {};
  let players: GameServer | null = null;
  const page = await host(folder, headers, () => players?.url ?? '');
  try {
    const origin = `http://127.0.0.1:${(page.address() as AddressInfo).port}`;
    players = await GameServer.start({ ALLOWED_ORIGINS: origin });
    const socket = `ws://${new URL(players.url).host}`;
    headers['content-security-policy'] = policy.replace(/wss:\S+$/, socket);
    process.env['VITE_SOCKET_URL'] = `${socket}/v1/ws`;
    await build({
      configFile: resolve(import.meta.dirname, '../player/vite.config.ts'),
      build: { outDir: folder },
      logLevel: 'error',
    });
    const tab = await freshTab(browser, origin);
    const opened: string[] = [];
    tab.page.on('websocket', (one) => opened.push(one.url()));
    await startButton(tab.page).click();
    await tab.page.getByTestId('timer').waitFor();
    await expect.poll(() => status(tab.page)).toBe('All saved');
    await tab.page.reload();
    await tab.page.getByTestId('timer').waitFor();
    await expect.poll(() => status(tab.page)).toBe('All saved');
    expect(new Set(opened)).toEqual(new Set([`${socket}/v1/ws`]));
    expect(tab.complaints).toEqual([]);
  } finally {
    delete process.env['VITE_SOCKET_URL'];
    await browser.close();
    page.closeAllConnections();
    page.close();
    await players?.remove();
    await rm(folder, { recursive: true, force: true });
  }
});
