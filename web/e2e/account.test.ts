/** One person's way from a guest to an account, with everything that an account can do. The tests build on each other. */

import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Device, disagreement, freshTab, type GameServer, heading, launch, nextSecond, open, openTab, saved, seededServer, startButton, status, timerSeconds,
} from './harness';

const MAIL = 'mira@example.org';
const PASSWORD = 'violet kettle on a train';

let server: GameServer;
let browser: Browser;
let page: Page;
let context: BrowserContext;
let complaints: string[];
/** A guest of some weeks, made by the seed. */
let seeded: Device;

beforeAll(async () => {
  ({ server, seeded } = await seededServer());
  browser = await launch();
  ({ page, context, complaints } = await freshTab(browser, server.url));
});

afterAll(async () => {
  await browser?.close();
  await server?.remove();
});

const storages = (tab: Page) => tab.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
const heroOf = (tab: Page) =>
  tab.evaluate(() => {
    const account = JSON.parse(localStorage.getItem('dopamine-hero.account') ?? 'null') as { hero_id: string } | null;
    const guest = JSON.parse(localStorage.getItem('dopamine-hero.device') ?? 'null') as { hero_id: string } | null;
    return (account ?? guest)?.hero_id ?? null;
  });

/** A session that counts is a little longer than a minute. */
async function sessionThatCounts(): Promise<void> {
  await startButton(page).click();
  await expect.poll(() => timerSeconds(page), { timeout: 80_000 }).toBeLessThan(237);
  await page.getByRole('button', { name: 'End here' }).click();
  await page.getByTestId('summary').waitFor();
  await saved(page);
}

async function login(tab: Page, password = PASSWORD): Promise<void> {
  await tab.getByLabel('Mail').fill(MAIL);
  await tab.getByLabel('Password', { exact: true }).fill(password);
  await tab.getByRole('button', { name: 'Log in', exact: true }).click();
}

it('an account is not spoken of after the first session, and offered once, calmly, after the second', async () => {
  await sessionThatCounts();
  expect(await page.getByRole('button', { name: 'Create an account' }).count()).toBe(0);
  await page.getByRole('button', { name: 'Later' }).click();
  await open(page, 'You');
  await page.getByText(/stays for 30 days after its last use/).waitFor();
  expect(await page.getByRole('button', { name: 'Create an account' }).count()).toBe(0);
  await page.keyboard.press('Escape');

  await sessionThatCounts();
  const offer = page.getByRole('region', { name: 'Keep this hero' });
  await offer.waitFor();
  expect(await page.getByRole('dialog').count()).toBe(0);
  await offer.getByRole('button', { name: 'No, thank you' }).click();
  await expect.poll(() => offer.count()).toBe(0);
  await page.reload();
  await saved(page);
  expect(await page.evaluate(() => localStorage.getItem('dopamine-hero.account-offer'))).toBe('dismissed');
  await open(page, 'You');
  await page.getByRole('button', { name: 'Create an account' }).waitFor();
  expect(complaints).toEqual([]);
});

it('a guest becomes an account with its hero, its energy and its running session', async () => {
  const hero = await heroOf(page);
  const energy = await page.getByTestId('energy').textContent();
  await open(page, 'Focus');
  await page.getByRole('button', { name: '25 min', exact: true }).click();
  await saved(page);
  const before = await nextSecond(page);

  await open(page, 'You');
  await page.getByRole('button', { name: 'Create an account' }).click();
  await page.getByLabel('Mail').fill(MAIL);
  await page.getByLabel('Password', { exact: true }).fill('password1');
  await page.getByRole('button', { name: 'Create the account' }).click();
  await expect.poll(() => page.locator('[data-code=weak_password]').count()).toBe(1);
  await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute('autocomplete'))).toBe('new-password');
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Create the account' }).click();
  await heading(page, 'Account');
  await page.getByText(MAIL).waitFor();

  expect(await heroOf(page)).toBe(hero);
  await saved(page);
  expect(await page.getByTestId('energy').textContent()).toBe(energy);
  await open(page, 'Focus');
  expect(disagreement(before, await nextSecond(page))).toBeLessThanOrEqual(1);
  expect(complaints).toEqual([]);
});

it('a reload stays logged in by the cookie, and no token is in storage', async () => {
  const before = await nextSecond(page);
  await page.reload();
  await saved(page);
  expect(disagreement(before, await nextSecond(page))).toBeLessThanOrEqual(1);
  await open(page, 'You');
  await page.getByRole('button', { name: 'Account and devices' }).click();
  await page.getByText(MAIL).waitFor();
  const kept = await storages(page);
  expect(kept).not.toMatch(/dh_|eyJ|token/);
  expect(kept).not.toContain('mira');
  const cookie = (await context.cookies()).find((one) => one.name.includes('dh_refresh'));
  expect(cookie).toMatchObject({ httpOnly: true, secure: true, sameSite: 'Strict', path: '/' });
  expect(await page.evaluate(() => document.cookie)).toBe('');
});

it('a server that is away ends no login: the page comes back without it, and the clock is right', async () => {
  await open(page, 'Focus');
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => null));
  const before = await nextSecond(page);
  await server.end('SIGKILL');
  await expect.poll(() => page.locator('.banners').textContent()).toContain('The timer runs on and will be saved');
  await page.reload();
  await page.getByTestId('timer').waitFor();
  expect(disagreement(before, await nextSecond(page))).toBeLessThanOrEqual(1);
  expect(await page.getByTestId('signed-out').count()).toBe(0);
  await server.start();
  await expect.poll(() => status(page), { timeout: 45_000 }).toBe('All saved');
  expect(disagreement(before, await nextSecond(page))).toBeLessThanOrEqual(1);
});

it('two tabs that wake up together stay logged in', async () => {
  const others = await Promise.all([1, 2, 3].map(() => openTab(context, server.url)));
  for (const other of others) await saved(other.page);
  await Promise.all([page, ...others.map((other) => other.page)].map((tab) => tab.reload()));
  for (const tab of [page, ...others.map((other) => other.page)]) await saved(tab);
  expect(await page.getByTestId('signed-out').count()).toBe(0);
  for (const other of others) {
    expect(other.complaints).toEqual([]);
    await other.page.close();
  }
});

it('a second browser logs in, and is told within five seconds when the first one signs it out', async () => {
  const second = await freshTab(browser, server.url);
  await second.page.getByRole('button', { name: 'I have a hero already' }).click();
  await login(second.page, 'not the password');
  await expect.poll(() => second.page.locator('[data-code=wrong_login]').count()).toBe(1);
  await login(second.page);
  await second.page.getByTestId('timer').waitFor();
  await saved(second.page);
  expect(await heroOf(second.page)).toBe(await heroOf(page));

  await open(page, 'You');
  await page.getByRole('button', { name: 'Account and devices' }).click();
  const devices = page.getByRole('region', { name: 'Devices' });
  await devices.getByText('this one').waitFor();
  const others = devices.getByRole('button', { name: /^Sign out (?!all)(?!.*this one)/ });
  const from = Date.now();
  const isOnlyOne = (await others.count()) === 1;
  await (isOnlyOne ? others.first() : devices.getByRole('button', { name: 'Sign out all others' })).click();
  await second.page.getByTestId('signed-out').waitFor({ timeout: 5_000 });
  expect(Date.now() - from).toBeLessThanOrEqual(5_000);
  // The session goes on, and the way back is asked for calmly.
  await expect.poll(() => second.page.getByTestId('signed-out').textContent()).toContain('The timer runs on');
  const before = await nextSecond(second.page);
  expect(disagreement(before, await nextSecond(second.page))).toBeLessThanOrEqual(1);

  await second.page.getByTestId('signed-out').getByRole('button', { name: 'Log in' }).click();
  await heading(second.page, 'Log in once more');
  await login(second.page);
  await saved(second.page);
  await expect.poll(() => second.page.getByTestId('signed-out').count()).toBe(0);
  expect(second.complaints).toEqual([]);
  await second.context.close();
});

it('a guest of another device comes into the account, after a look at what that means', async () => {
  await open(page, 'Focus');
  await page.getByRole('button', { name: 'End here' }).click();
  await saved(page);
  const other = await freshTab(browser, server.url);
  let isCut = false;
  await other.page.routeWebSocket(/\/v1\/ws$/, (socket) => {
    if (isCut) void socket.close({ code: 1013 });
    else socket.connectToServer();
  });
  await other.page.evaluate((device) => localStorage.setItem('dopamine-hero.device', JSON.stringify(device)), seeded);
  await other.page.reload();
  await saved(other.page);
  // The line is cut, so what comes now cannot be saved.
  isCut = true;
  await other.page.reload();
  await expect.poll(() => status(other.page)).toContain('Reconnecting');
  await open(other.page, 'Tasks');
  await other.page.getByLabel('Add a task').fill('Written just before');
  await other.page.getByLabel('Add a task').press('Enter');
  await open(other.page, 'You');
  await other.page.getByRole('button', { name: 'Log in to an account' }).click();
  await login(other.page);

  await heading(other.page, 'Two heroes of yours');
  await other.page.getByText(/^1 change of the hero on this device could not be saved yet/).waitFor({ timeout: 20_000 });
  expect(await other.page.getByRole('button', { name: 'Bring it together' }).count()).toBe(0);
  isCut = false;
  await other.page.getByRole('button', { name: 'Try again' }).click();
  const table = other.page.getByRole('table');
  await table.waitFor();
  const row = async (name: string) => (await table.getByRole('row', { name: new RegExp(`^${name}`) }).getByRole('cell').allTextContents()).map((text) => Number(text.replaceAll(',', '')));
  const [guest = 0, account = 0, united = 0] = await row('Sessions');
  expect(guest).toBeGreaterThan(20);
  expect(account).toBe(2);
  expect(united).toBe(guest + account);
  await other.page.getByRole('button', { name: 'Bring it together' }).click();
  await heading(other.page, 'One hero now');
  await other.page.getByRole('button', { name: 'To the hero' }).click();
  await saved(other.page);
  expect(await heroOf(other.page)).toBe(await heroOf(page));
  expect(await storages(other.page)).not.toContain('dh_');
  await open(other.page, 'Tasks');
  await other.page.getByRole('checkbox', { name: 'Written just before' }).waitFor();
  await open(page, 'Tasks');
  await page.getByRole('checkbox', { name: 'Written just before' }).waitFor();
  expect(other.complaints).toEqual([]);
  await other.context.close();
});

it('a logout leaves nothing of the account in this browser', async () => {
  const other = await openTab(context, server.url);
  await saved(other.page);
  const hero = await heroOf(page);
  expect(hero).toMatch(/^[\da-f-]{36}$/);
  await open(page, 'You');
  await page.getByRole('button', { name: 'Account and devices' }).click();
  await page.getByRole('button', { name: 'Log out', exact: true }).click();
  await startButton(page).waitFor();
  await other.page.getByRole('button', { name: 'I have a hero already' }).waitFor();
  await other.page.close();
  // The page goes on as a new guest, who may be there already or not.
  const kept = await storages(page);
  expect(kept).not.toContain(hero);
  expect(kept).not.toMatch(/dopamine-hero\.account"|eyJ/);
  expect((await context.cookies()).filter((one) => one.name.includes('dh_refresh'))).toEqual([]);
  await page.reload();
  await startButton(page).waitFor();
  expect(complaints).toEqual([]);
});

describe('the login', () => {
  it('works without a mouse, from field to field, and Escape leads back', async () => {
    const tab = await freshTab(browser, server.url);
    await tab.page.keyboard.press('Tab');
    await tab.page.keyboard.press('Enter');
    await heading(tab.page, 'Log in');
    const focused = () => tab.page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? (document.activeElement as HTMLInputElement).labels?.[0]?.textContent ?? document.activeElement?.textContent);
    await expect.poll(focused).toBe('Mail');
    await tab.page.keyboard.type('nobody@example.org');
    for (const next of ['Password', 'Show the password', 'Log in', 'Forgot the password?']) {
      await tab.page.keyboard.press('Tab');
      expect(await focused()).toBe(next);
    }
    await tab.page.getByLabel('Password', { exact: true }).fill('not a password of anybody');
    await tab.page.keyboard.press('Enter');
    await expect.poll(() => tab.page.locator('[data-code=wrong_login]').count()).toBe(1);
    // Where something is to be changed is where the focus is, and what is wrong is read with it.
    await expect.poll(focused).toBe('Password');
    const described = await tab.page.evaluate(() => document.getElementById(document.activeElement?.getAttribute('aria-describedby') ?? '')?.textContent);
    expect(described).toContain('do not belong together');
    await tab.page.keyboard.press('Escape');
    await tab.page.keyboard.press('Escape');
    await startButton(tab.page).waitFor();
    expect(tab.complaints).toEqual([]);
    await tab.context.close();
  });

  it.each([
    [360, 100, 'light'],
    [360, 200, 'dark'],
    [1280, 200, 'contrast'],
  ])('at %i wide with text at %i, %s, nothing is cut off', async (width, textPercent, theme) => {
    const tab = await freshTab(browser, server.url, { viewport: { width, height: 740 } });
    await tab.page.evaluate((chosen) => localStorage.setItem('dopamine-hero.settings', JSON.stringify(chosen)), { textPercent, theme });
    await tab.page.reload();
    const overflow = () => tab.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    await tab.page.getByRole('button', { name: 'I have a hero already' }).click();
    await heading(tab.page, 'Log in');
    expect(await overflow()).toBeLessThanOrEqual(0);
    await tab.page.getByRole('button', { name: 'Forgot the password?' }).click();
    await heading(tab.page, 'A new password');
    expect(await overflow()).toBeLessThanOrEqual(0);
    await tab.context.close();
  });
});
