/** The panel itself: who comes in, what each role sees, what is kept of it, and what it shows while the server is away. */

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshTab, GameServer, heading, launch, saved, startButton, type Tab } from './harness';
import { carryOut, invited, join, login, type Operator, PASSWORD, said, visit } from './operator';

let server: GameServer;
let browser: Browser;
let mira: Operator;
let page: Page;
let player: Tab;

beforeAll(async () => {
  server = await GameServer.start();
  browser = await launch();
});

afterAll(async () => {
  await browser?.close();
  await server?.remove();
});

const line = (tab: Page) => tab.getByTestId('line').textContent();

it('the first operator comes with a token of the command line, and with an authenticator that works', async () => {
  const tab = await freshTab(browser, server.admin);
  ({ page } = tab);
  await heading(page, 'The first operator');
  await page.getByLabel('One-time token').fill('invite_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA');
  await page.getByLabel('A password for you').fill(PASSWORD);
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.locator('.problem').waitFor();
  expect(await page.getByLabel('A password for you').inputValue()).toBe(PASSWORD);

  const token = await server.invite('mira', 'owner');
  await page.getByLabel('One-time token').fill(token);
  await page.getByLabel('A password for you').fill('password1');
  await page.getByRole('button', { name: 'Go on' }).click();
  await expect.poll(() => page.locator('.problem').getAttribute('data-code')).toBe('invalid');
  const authenticator = await join(page, token);
  mira = { ...tab, name: 'mira', authenticator };
  expect(tab.complaints).toEqual([]);

  // Good once.
  const other = await freshTab(browser, server.admin);
  await other.page.getByRole('button', { name: 'I have an invitation' }).click();
  await other.page.getByLabel('One-time token').fill(token);
  await other.page.getByLabel('A password for you').fill(PASSWORD);
  await other.page.getByRole('button', { name: 'Go on' }).click();
  await other.page.locator('.problem').waitFor();
  await other.context.close();
});

it('a login takes name, password and a code that was not used', async () => {
  await page.getByRole('button', { name: 'Log out' }).click();
  await heading(page, 'Operators');
  const code = await mira.authenticator.code();
  await login(page, 'mira', code, 'not the password');
  await expect.poll(() => page.locator('[data-code=wrong_login]').count()).toBe(1);
  expect(await page.getByLabel('Name').inputValue()).toBe('mira');
  await login(page, 'mira', code);
  await heading(page, 'Overview');
  const cookie = (await mira.context.cookies()).find((one) => one.name === '__Host-operator');
  expect(cookie).toMatchObject({ httpOnly: true, secure: true, sameSite: 'Strict', path: '/' });
  expect(await page.evaluate(() => document.cookie + JSON.stringify({ ...localStorage, ...sessionStorage }))).toBe('{}');
  await page.reload();
  await heading(page, 'Overview');

  const other = await freshTab(browser, server.admin);
  await login(other.page, 'mira', code);
  await expect.poll(() => other.page.locator('[data-code=wrong_login]').count()).toBe(1);
  await other.context.close();
});

it('the overview follows what players do', async () => {
  const figure = (name: string) => page.locator('.figure', { has: page.getByText(name, { exact: true }) }).locator('.figure-value').textContent();
  await expect.poll(() => line(page)).toContain('live');
  await expect.poll(() => figure('Players connected')).toBe('0');
  player = await freshTab(browser, server.url);
  await startButton(player.page).click();
  await saved(player.page);
  await expect.poll(() => figure('Players connected')).toBe('1');
  await expect.poll(() => figure('Focus sessions')).toBe('1');
  expect(await figure('Server')).toBe('ready');
  await expect.poll(() => page.locator('.chart canvas').count(), { timeout: 30_000 }).toBeGreaterThanOrEqual(6);
  await page.getByRole('radio', { name: 'Last day' }).check();
  await expect.poll(() => page.locator('.chart canvas, [aria-label=History] .quiet').count()).toBeGreaterThan(0);
  await page.getByRole('radio', { name: 'Last hour' }).check();
  expect(mira.complaints).toEqual([]);
});

it('somebody who was invited as viewer sees the server and no player', async () => {
  await visit(page, 'operators', 'Operators');
  const invite = page.getByRole('region', { name: 'Invite somebody' });
  await invite.getByLabel('Name').fill('eve');
  await invite.getByRole('button', { name: 'Invite' }).click();
  const token = await page.getByTestId('invitation').locator('code').textContent();
  const eve = await invited(browser, server, 'eve', token ?? '');
  await expect.poll(() => line(eve.page)).toContain('live');
  expect(await eve.page.getByRole('navigation', { name: 'Pages' }).getByRole('link').allTextContents()).toEqual(['Overview', 'Outages', 'Catalogue', 'Cost', 'System']);
  await visit(eve.page, 'players', 'Not for your role');
  await eve.page.getByText('This needs the role support; yours is viewer.').waitFor();
  await visit(eve.page, 'system', 'System');
  // The button says why it does nothing.
  await eve.page.getByRole('button', { name: 'Drain…' }).press('Enter');
  await expect.poll(() => said(eve.page)).toContain('This needs the role owner; yours is viewer.');
  expect(await eve.page.getByRole('dialog').count()).toBe(0);

  // Another role ends her session; the page stays, and the login brings it back.
  await visit(page, 'overview', 'Overview');
  await visit(page, 'operators', 'Operators');
  await page.getByLabel('Role of eve', { exact: true }).selectOption('support');
  await carryOut(page.getByRole('button', { name: 'Change the role of eve' }), 'Make support');
  await eve.page.getByLabel('Filter').fill('PORT');
  const again = eve.page.getByRole('dialog', { name: 'The session is over' });
  await again.waitFor({ timeout: 30_000 });
  await login(again, 'eve', await eve.authenticator.code());
  await expect.poll(() => again.count()).toBe(0);
  expect(await eve.page.getByLabel('Filter').inputValue()).toBe('PORT');
  await visit(eve.page, 'players', 'Players');
  expect(eve.complaints).toEqual([]);

  await carryOut(page.getByRole('button', { name: 'Disable eve' }), 'Disable');
  await eve.page.getByRole('button', { name: 'Search' }).click();
  await again.waitFor();
  await login(again, 'eve', await eve.authenticator.code());
  await expect.poll(() => again.locator('[data-code=wrong_login]').count()).toBe(1);
  await eve.context.close();
});

it('the audit log has it all, in order and whole', async () => {
  await visit(page, 'audit', 'Audit log');
  const rows = page.getByRole('table', { name: 'Audit log' });
  await rows.waitFor();
  const text = (await rows.textContent()) ?? '';
  for (const word of ['operator.invite', 'operator.join', 'operator.change', 'login', 'eve']) expect(text).toContain(word);
  await page.getByRole('button', { name: /^Details of row/ }).first().click();
  await page.getByText(/^Hash/).waitFor();
  await page.getByRole('button', { name: 'Verify' }).click();
  await expect.poll(() => page.getByTestId('verdict').textContent()).toMatch(/^whole \d+ rows were read/);
  expect(await server.run('audit', 'verify')).toMatch(/all as they were written/);
});

it('works without a mouse: Tab leads to the button, Enter opens, Escape leads back to it', async () => {
  await visit(page, 'cost', 'Cost');
  await page.getByLabel('New budget, $ a month').fill('600');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Change the budget to $600?' });
  await dialog.waitFor();
  await expect.poll(() => page.evaluate(() => document.activeElement?.tagName)).toBe('TEXTAREA');
  await page.keyboard.press('Escape');
  await expect.poll(() => dialog.count()).toBe(0);
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Change…');
  expect(await page.getByLabel('New budget, $ a month').inputValue()).toBe('600');
});

it('a server that is away is said to be, the figures are shown as old, and nothing that was typed is lost', async () => {
  await visit(page, 'overview', 'Overview');
  await expect.poll(() => line(page)).toContain('live');
  await server.end('SIGKILL');
  await page.getByText('Connection lost.').waitFor({ timeout: 30_000 });
  expect(await line(page)).toMatch(/connection lostlast seen \d\d:\d\d:\d\d/);
  expect(await page.locator('.old-or-new').getAttribute('data-old')).toBe('true');

  await visit(page, 'cost', 'Cost');
  await page.locator('[data-code=away]').waitFor();
  await server.start();
  // Logins are of one server's memory.
  const again = page.getByRole('dialog', { name: 'The session is over' });
  await again.waitFor({ timeout: 30_000 });
  await login(again, 'mira', await mira.authenticator.code());
  await expect.poll(() => again.count()).toBe(0);
  await page.getByRole('heading', { name: 'Rightsizing' }).waitFor();
  await expect.poll(() => line(page), { timeout: 30_000 }).toContain('live');
  expect(mira.complaints).toEqual([]);
});
