/** An operator with an authenticator of its own, in a browser of its own. */

import { createHmac } from 'node:crypto';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { expect } from 'vitest';
import { freshTab, type GameServer, heading, pause, type Tab } from './harness';

export const PASSWORD = 'violet kettle on a train';
const STEP_MS = 30_000;
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

function secretBytes(secret: string): Buffer {
  const bits = [...secret].map((sign) => BASE32.indexOf(sign).toString(2).padStart(5, '0')).join('');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}

/** RFC 6238: SHA-1, six digits, steps of 30 s. A code is good once, so each one that is asked for is a later one. */
export class Authenticator {
  #lastStep = 0;

  constructor(private readonly secret: string) {}

  async code(): Promise<string> {
    const step = Math.max(Math.floor(Date.now() / STEP_MS), this.#lastStep + 1);
    // The server takes the code after the current one too, because no two clocks agree.
    while (Math.floor(Date.now() / STEP_MS) + 1 < step) await pause(200);
    this.#lastStep = step;
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64BE(BigInt(step));
    const tag = createHmac('sha1', secretBytes(this.secret)).update(counter).digest();
    const offset = (tag.at(-1) ?? 0) & 0xf;
    return String((tag.readUInt32BE(offset) & 0x7fff_ffff) % 1_000_000).padStart(6, '0');
  }
}

export interface Operator extends Tab {
  name: string;
  authenticator: Authenticator;
}

/** Goes through the set-up with a token, from the first page to the overview. */
export async function join(page: Page, token: string): Promise<Authenticator> {
  await page.getByLabel('One-time token').fill(token);
  await page.getByLabel('A password for you').fill(PASSWORD);
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.getByRole('img', { name: 'Secret for your authenticator app' }).waitFor();
  const secret = await page.locator('.field .copy code').textContent();
  if (secret === null || !/^[A-Z2-7]{32}$/.test(secret)) throw new Error(`no secret: ${secret}`);
  const authenticator = new Authenticator(secret);
  await page.getByLabel('Code').fill(await authenticator.code());
  await page.getByRole('button', { name: 'Become an operator' }).click();
  await heading(page, 'Overview');
  return authenticator;
}

/** On the login's own page, or in the dialog over a page whose session is over. */
export async function login(page: Page | Locator, name: string, code: string, password = PASSWORD): Promise<void> {
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByLabel('Code').fill(code);
  await page.getByRole('button', { name: 'Log in' }).click();
}

/** The first operator of a server, logged in. */
export async function owner(browser: Browser, server: GameServer, options: BrowserContextOptions = {}): Promise<Operator> {
  const token = await server.invite('mira', 'owner');
  const tab = await freshTab(browser, server.admin, options);
  const authenticator = await join(tab.page, token);
  return { ...tab, name: 'mira', authenticator };
}

/** Somebody whom an operator invited. */
export async function invited(browser: Browser, server: GameServer, name: string, token: string): Promise<Operator> {
  const tab = await freshTab(browser, server.admin);
  await tab.page.getByRole('button', { name: 'I have an invitation' }).click();
  const authenticator = await join(tab.page, token);
  return { ...tab, name, authenticator };
}

/** Goes to a page by its address; what stands after the # loads nothing anew. */
export async function visit(page: Page, route: string, title: string | RegExp): Promise<void> {
  await page.evaluate((to) => (location.hash = to), `/${route}`);
  await page.getByRole('heading', { level: 1, name: title }).waitFor();
}

/** Presses a button, says why in the dialog that asks, and confirms. */
export async function carryOut(button: Locator, confirm: string, options: { reason?: string; typed?: string } = {}): Promise<void> {
  const page = button.page();
  await button.click();
  const dialog = page.getByRole('dialog');
  if (options.reason !== undefined) await dialog.getByLabel('Reason').fill(options.reason);
  if (options.typed !== undefined) await dialog.getByLabel(/^Type/).fill(options.typed);
  await dialog.getByRole('button', { name: confirm, exact: true }).click();
  await expect.poll(() => dialog.count().then(async (count) => (count === 0 ? '' : dialog.locator('.problem').allTextContents().then(String)))).toBe('');
  await expect.poll(() => dialog.count()).toBe(0);
}

/** The line at the foot of the page that says what was done. */
export function said(page: Page): Promise<string | null> {
  return page.locator('.toast').textContent();
}
