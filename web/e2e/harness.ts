/** The real server, killed and started at will, and a real Chromium that looks at it. */

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';

const BINARY = resolve(import.meta.dirname, process.env['DOPAMINE_HERO_BIN'] ?? '../../target/debug/dopamine-hero');
const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const READY_MS_MAX = 20_000;

/** Nothing of the browser's own may look for the internet. */
const CHROMIUM_ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

async function freePort(): Promise<{ port: number; close: () => Promise<void> }> {
  return new Promise((found, failed) => {
    const probe = createServer();
    probe.once('error', failed);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const close = () => new Promise<void>((closed) => probe.close(() => closed()));
      if (address !== null && typeof address === 'object') found({ port: address.port, close });
      else failed(new Error('no port'));
    });
  });
}

/** Held together until all are found: one that was given back could be found again. */
async function freePorts(): Promise<[number, number, number]> {
  const probes = [await freePort(), await freePort(), await freePort()] as const;
  for (const probe of probes) await probe.close();
  return [probes[0].port, probes[1].port, probes[2].port];
}

export class GameServer {
  #process: ChildProcess | null = null;
  #log = '';

  private constructor(
    readonly folder: string,
    private readonly ports: readonly [number, number, number],
    private readonly variables: NodeJS.ProcessEnv,
  ) {}

  /** A server with a store of its own. */
  static async start(variables: NodeJS.ProcessEnv = {}): Promise<GameServer> {
    if (!existsSync(BINARY)) throw new Error(`there is no server at ${BINARY}: build it first, or set DOPAMINE_HERO_BIN`);
    const folder = await mkdtemp(join(tmpdir(), 'dopamine-hero-e2e-'));
    const server = new GameServer(folder, await freePorts(), variables);
    try {
      await server.start();
    } catch (error) {
      await server.remove();
      throw error;
    }
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.ports[0]}/`;
  }

  /** The operators' panel. */
  get admin(): string {
    return `http://127.0.0.1:${this.ports[1]}/`;
  }

  #environment(): NodeJS.ProcessEnv {
    const [port, adminPort, metricsPort] = this.ports;
    return {
      ...process.env,
      HOST: '127.0.0.1',
      PORT: String(port),
      ADMIN_PORT: String(adminPort),
      METRICS_PORT: String(metricsPort),
      DATABASE_URL: `sqlite://${join(this.folder, 'heroes.sqlite')}`,
      ...this.variables,
    };
  }

  async start(): Promise<void> {
    const child = spawn(BINARY, ['serve'], { env: this.#environment(), stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (this.#log += data.toString()));
    const deadline = Date.now() + READY_MS_MAX;
    while (Date.now() < deadline && child.exitCode === null) {
      const isReady = await fetch(`${this.url}ready`).then((answer) => answer.ok, () => false);
      if (isReady) return;
      await pause(50);
    }
    throw new Error(`the server did not become ready:\n${this.#log}`);
  }

  /** Runs a subcommand on this server's store. */
  async run(subcommand: string, ...rest: string[]): Promise<string> {
    const child = spawn(BINARY, [subcommand, ...rest], { env: this.#environment(), stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (output += data.toString()));
    const code = await new Promise<number | null>((done) => child.once('exit', done));
    if (code !== 0) throw new Error(`${subcommand} ended with ${code}:\n${output}`);
    return output;
  }

  /** The one-time token with which somebody becomes an operator. */
  async invite(name: string, role: string): Promise<string> {
    const output = await this.run('admin', 'invite', name, '--role', role);
    const token = /\binvite_[\w-]{20,}/.exec(output)?.[0];
    if (token === undefined) throw new Error(`no token in:\n${output}`);
    return token;
  }

  /** Whether the process has ended by itself. */
  get isGone(): boolean {
    return this.#process === null || this.#process.exitCode !== null;
  }

  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((done) => child.once('exit', done));
    child.kill(signal);
    await gone;
  }

  async remove(): Promise<void> {
    await this.end('SIGKILL');
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** A guest's device, as it is kept in the browser. */
export interface Device {
  hero_id: string;
  device_token: string;
}

/** A running server with demo players, and the device of the one with the longest history. */
export async function seededServer(): Promise<{ server: GameServer; seeded: Device }> {
  const server = await GameServer.start();
  // The tool wants the store for itself.
  await server.end('SIGTERM');
  const seeded = await seededDevice(server);
  await server.start();
  return { server, seeded };
}

async function seededDevice(server: GameServer): Promise<Device> {
  const output = await server.run('seed');
  const [, heroId, token] = /([0-9a-f-]{36})[^\n]*\n\s*device token: (\S+)/.exec(output) ?? [];
  if (heroId === undefined || token === undefined) throw new Error(`no seeded hero in:\n${output}`);
  return { hero_id: heroId, device_token: token };
}

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_ARGUMENTS });
}

export interface Tab {
  page: Page;
  context: BrowserContext;
  /** What the page complained about; lost connections are expected and left out. */
  complaints: string[];
}

/** A page of a device that has never been here. */
export async function freshTab(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Tab> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: 'dark', ...options });
  return openTab(context, url);
}

export async function openTab(context: BrowserContext, url: string): Promise<Tab> {
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    const isLostConnection = /net::ERR|WebSocket connection|Failed to load resource|error occurred when fetching the script/.test(message.text());
    if (message.type() === 'error' && !isLostConnection) complaints.push(message.text());
  });
  await page.goto(url);
  await page.locator('main').waitFor();
  return { page, context, complaints };
}

/** The big number in seconds; after the plan it is negative. */
export async function timerSeconds(page: Page): Promise<number> {
  return parseSeconds((await page.getByTestId('timer').textContent()) ?? '');
}

/** What a timer showed, and when. */
export interface Reading {
  seconds: number;
  atMs: number;
}

/**
 * The next change of a running timer. It shows whole seconds, so that only a change is exact: a number that is just read
 * may be a second old, which is all that the timer may be wrong by.
 */
export async function nextSecond(page: Page): Promise<Reading> {
  const reading = await page.evaluate(() => {
    const text = () => document.querySelector('[data-testid="timer"]')?.textContent ?? '';
    const before = text();
    return new Promise<{ text: string; atMs: number }>((changed) => {
      const observer = new MutationObserver(() => {
        if (text() === before) return;
        observer.disconnect();
        changed({ text: text(), atMs: Date.now() });
      });
      observer.observe(document.body, { childList: true, characterData: true, subtree: true });
    });
  });
  return { seconds: parseSeconds(reading.text), atMs: reading.atMs };
}

/** By how many seconds two readings of the same session disagree. */
export function disagreement(earlier: Reading, later: Reading): number {
  return Math.abs(earlier.seconds - later.seconds - (later.atMs - earlier.atMs) / 1_000);
}

function parseSeconds(text: string): number {
  const parts = text.replace('+', '').split(':').map(Number);
  const seconds = parts.reduce((sum, part) => sum * 60 + part, 0);
  return text.startsWith('+') ? -seconds : seconds;
}

export async function sessionEnergy(page: Page): Promise<number> {
  return Number(await page.getByTestId('session-energy').textContent());
}

export function status(page: Page): Promise<string | null> {
  return page.getByTestId('status').textContent();
}

/** Goes to another page by the navigation. */
export function open(page: Page, name: string): Promise<void> {
  return page.getByRole('navigation').getByRole('button', { name }).click();
}

/** Waits until nothing is left to be saved. */
export async function saved(page: Page): Promise<void> {
  await expect.poll(() => status(page)).toBe('All saved');
}

/** Waits for a page by its heading. */
export function heading(page: Page, name: string): Promise<void> {
  return page.getByRole('heading', { level: 1, name }).waitFor();
}

export function startButton(page: Page) {
  return page.getByRole('button', { name: 'Start 5 minutes' });
}

/** For tests about time itself. Everything else waits for a condition. */
export function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
