/** What operators do to the service: outages, the game's numbers, money, what all players are told, and the end. */

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshTab, type GameServer, launch, seededServer, status, type Tab } from './harness';
import { carryOut, type Operator, owner, said, visit } from './operator';

let server: GameServer;
let browser: Browser;
let mira: Operator;
let page: Page;
let player: Tab;

beforeAll(async () => {
  const started = await seededServer();
  ({ server } = started);
  browser = await launch();
  player = await freshTab(browser, server.url);
  await player.page.evaluate((device) => localStorage.setItem('dopamine-hero.device', JSON.stringify(device)), started.seeded);
  await player.page.reload();
  await player.page.getByTestId('status').getByText('All saved').waitFor();
  mira = await owner(browser, server);
  ({ page } = mira);
});

afterAll(async () => {
  await browser?.close();
  await server?.remove();
});

const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

it('an outage is declared with local times, and listed', async () => {
  await visit(page, 'outages', 'Outages');
  await page.getByLabel('From').fill('2026-01-02T10:00');
  await page.getByLabel('Until').fill('2026-01-02T09:00');
  await page.locator('.notice', { hasText: 'It must end after it began.' }).waitFor();
  await page.getByRole('button', { name: 'The last hour' }).click();
  await expect.poll(() => page.getByText(/^in UTC: \d{4}/).count()).toBe(2);
  await carryOut(page.getByRole('button', { name: 'Declare…' }), 'Declare it', { reason: 'the database was away' });
  await expect.poll(() => said(page)).toBe('The outage is declared.Dismiss');
  await page.getByRole('table', { name: 'Outages' }).getByText('1 h').first().waitFor();
});

it('a catalogue is checked by line, tried, put in force and rolled back, and nobody is disconnected', async () => {
  await visit(page, 'catalogue', 'Catalogue');
  await page.getByRole('heading', { name: 'Version 1 is in force' }).waitFor();
  await page.getByRole('link', { name: 'Text' }).first().click();
  await expect.poll(() => page.getByLabel('Text of version 1').inputValue()).toContain('base_me_per_s: 20');

  await page.getByRole('link', { name: 'All versions' }).click();
  await page.getByRole('link', { name: 'Upload a version' }).click();
  await page.getByRole('button', { name: 'Begin with the one in force' }).click();
  const text = page.getByLabel('Text', { exact: true });
  await expect.poll(() => text.inputValue()).toContain('version: 1,');
  const whole = await text.inputValue();

  await text.fill(whole.replace('version: 1,', 'version: many,'));
  await carryOut(page.getByRole('button', { name: 'Check and keep…' }), 'Check and keep', { reason: 'faster energy' });
  const problems = page.getByRole('table', { name: 'Problems in the text' });
  await problems.waitFor();
  await problems.getByRole('button', { name: /^Go to line/ }).first().click();
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('catalogue-text');

  await text.fill(whole.replace('version: 1,', 'version: 2,').replace('base_me_per_s: 20,', 'base_me_per_s: 30,'));
  await carryOut(page.getByRole('button', { name: 'Check and keep…' }), 'Check and keep', { reason: 'faster energy' });
  await page.getByRole('heading', { level: 1, name: 'Catalogue version 2' }).waitFor();
  await expect.poll(() => page.getByRole('table', { name: 'Fields that differ' }).textContent()).toContain('base_me_per_s');
  await page.getByRole('table', { name: 'Heroes that change most' }).getByRole('rowheader').first().waitFor();
  await page.getByRole('img', { name: /Heroes by change of energy/ }).waitFor();

  const connections = await player.page.evaluate(() => performance.getEntriesByType('resource').filter((entry) => entry.name.endsWith('ws-ticket')).length);
  await carryOut(page.getByRole('button', { name: 'Put version 2 in force' }), 'Switch from 1 to 2', { reason: 'faster energy' });
  await visit(page, 'catalogue', 'Catalogue');
  await page.getByRole('heading', { name: 'Version 2 is in force' }).waitFor();
  await expect.poll(() => status(player.page)).toBe('All saved');
  await carryOut(page.getByRole('button', { name: 'Roll back to 1' }), 'Switch from 2 to 1', { reason: 'too fast' });
  await page.getByRole('heading', { name: 'Version 1 is in force' }).waitFor();
  await expect.poll(() => status(player.page)).toBe('All saved');
  expect(await player.page.evaluate(() => performance.getEntriesByType('resource').filter((entry) => entry.name.endsWith('ws-ticket')).length)).toBe(connections);
  expect(mira.complaints).toEqual([]);
  expect(player.complaints).toEqual([]);
});

it('the cost has a verdict with its reason, the plan and a budget that can be changed', async () => {
  await visit(page, 'cost', 'Cost');
  await page.getByRole('region', { name: 'Rightsizing' }).locator('.chip').waitFor();
  expect(await page.getByRole('table', { name: 'Phases of the plan' }).getByRole('rowheader').count()).toBe(3);
  await page.getByText(/of \$500 so far/).waitFor();
  await page.getByLabel('New budget, $ a month').fill('650');
  await carryOut(page.getByRole('button', { name: 'Change…' }), 'Change it', { reason: 'a second server' });
  await page.getByText(/of \$650 so far/).waitFor();
});

it('the system shows what is set and hides what is secret', async () => {
  await visit(page, 'system', 'System');
  const settings = page.getByRole('table', { name: 'Settings' });
  await page.getByLabel('Filter').fill('ADMIN_PORT');
  await expect.poll(() => settings.getByRole('rowheader').allTextContents()).toContain('ADMIN_PORT');
  expect(await settings.textContent()).toContain(new URL(server.admin).port);
  expect(await page.getByRole('table', { name: 'Migrations' }).getByText('waits').count()).toBe(0);
  expect(await page.getByRole('table', { name: 'Migrations' }).getByText('applied').count()).toBeGreaterThan(5);
});

it('what all players are told is on the player’s page at once, as text, and gone again', async () => {
  const words = 'Back at noon <b>sharp</b>; your timers run on.';
  await page.getByLabel('Text').fill(words);
  await carryOut(page.getByRole('button', { name: 'Tell players…' }), 'Tell them', { reason: 'maintenance' });
  await player.page.getByText(words).waitFor();
  await expect.poll(() => page.getByTestId('banner-now').textContent()).toContain(words);
  await carryOut(page.getByRole('button', { name: 'Take it back…' }), 'Take it back', { reason: 'it is over' });
  await expect.poll(() => player.page.getByText(words).count()).toBe(0);
  expect(mira.complaints).toEqual([]);
});

it.each([
  [390, 'dark'],
  [390, 'light'],
  [1280, 'light'],
] as const)('at %i wide, %s, no page is wider than the screen', async (width, theme) => {
  await page.setViewportSize({ width, height: 800 });
  await page.getByLabel('Colours').selectOption(theme);
  const pages = [['overview', 'Overview'], ['players', 'Players'], ['approvals', 'Approvals'], ['outages', 'Outages'], ['catalogue', 'Catalogue'], ['catalogue/2/dry-run', 'Catalogue version 2'], ['upload', 'Upload a catalogue'], ['cost', 'Cost'], ['system', 'System'], ['operators', 'Operators'], ['audit', 'Audit log']] as const;
  for (const [route, title] of pages) {
    await visit(page, route, title);
    await expect.poll(() => page.locator('.waiting').count()).toBe(0);
    expect(await overflow(), route).toBeLessThanOrEqual(0);
  }
});

it('a drained server sends everybody away and ends', async () => {
  await visit(page, 'system', 'System');
  await page.getByRole('button', { name: 'Drain…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Reason').fill('a new version');
  await dialog.getByRole('button', { name: 'Drain it' }).click();
  expect(await dialog.count()).toBe(1);
  expect(server.isGone).toBe(false);
  await dialog.getByLabel(/^Type/).fill('drain');
  await dialog.getByRole('button', { name: 'Drain it' }).click();
  await expect.poll(() => server.isGone, { timeout: 40_000 }).toBe(true);
  await visit(page, 'overview', 'Overview');
  await page.getByText('Connection lost.').waitFor({ timeout: 30_000 });
});
