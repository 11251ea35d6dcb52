/** One's own data: taken along, hidden, brought back and played on; and a guest that is gone at once. */

import { readFile } from 'node:fs/promises';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Device, freshTab, type GameServer, heading, launch, open, openTab, saved, seededServer, startButton, status } from './harness';

const MAIL = 'mira@example.org';
const PASSWORD = 'violet kettle on a train';
const TITLE = '=HYPERLINK("x") and a kettle';

let server: GameServer;
let browser: Browser;
let page: Page;
let context: BrowserContext;
let complaints: string[];
/** A guest of some weeks. */
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

const hiddenPage = (tab: Page) => tab.getByTestId('erasure-page');

async function download(tab: Page, button: string): Promise<{ name: string; text: string }> {
  const [file] = await Promise.all([tab.waitForEvent('download'), tab.getByRole('button', { name: button }).click()]);
  return { name: file.suggestedFilename(), text: await readFile(await file.path(), 'utf8') };
}

async function login(tab: Page): Promise<void> {
  await tab.getByLabel('Mail').fill(MAIL);
  await tab.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await tab.getByRole('button', { name: 'Log in', exact: true }).click();
}

async function makeTask(tab: Page, title: string): Promise<void> {
  await open(tab, 'Tasks');
  await tab.getByLabel('Add a task').fill(title);
  await tab.getByLabel('Add a task').press('Enter');
  await tab.getByRole('checkbox', { name: title }).waitFor();
  await saved(tab);
}

/** A date as the page writes it, for a moment from now. */
const dayIn = (days: number) => new Date(Date.now() + days * 86_400_000).toLocaleDateString('en-GB', { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });

it('an account takes all of its data along', async () => {
  await page.evaluate((device) => localStorage.setItem('dopamine-hero.device', JSON.stringify(device)), seeded);
  await page.reload();
  await saved(page);
  await open(page, 'You');
  await page.getByRole('button', { name: 'Create an account' }).click();
  await page.getByLabel('Mail').fill(MAIL);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Create the account' }).click();
  await heading(page, 'Account');
  await saved(page);
  await makeTask(page, TITLE);
  await page.getByRole('checkbox', { name: TITLE }).check();
  await saved(page);

  await open(page, 'You');
  await page.getByRole('button', { name: 'Account and devices' }).click();
  const json = await download(page, 'Everything (JSON)');
  expect(json.name).toMatch(/^dopamine-hero-\d{4}-\d\d-\d\d\.json$/);
  const all = JSON.parse(json.text) as Record<string, never> & { account: { mail: string }; hero: { tasks: { title: string }[] }; journal: { events: unknown[]; last_seq: number } };
  expect(all.account).toMatchObject({ mail: MAIL });
  expect(all.hero.tasks.map((task) => task.title)).toContain(TITLE);
  expect(all.journal.events.length).toBe(all.journal.last_seq);
  const csv = await download(page, 'Energy and dopamine, line by line (CSV)');
  expect(csv.name).toMatch(/^dopamine-hero-ledger-.*\.csv$/);
  const lines = csv.text.trim().split('\n');
  expect(lines[0]).toBe('time_utc,seq,what,cause,subject,title,energy,dopamine,energy_balance,dopamine_balance');
  expect(lines.length).toBeGreaterThan(100);
  for (const line of lines.slice(1)) expect(line).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z,/);
  expect(csv.text).not.toMatch(/(^|,|")=/m);
  await page.getByText('Every line is in the file.').waitFor();
  expect(complaints).toEqual([]);
});

it('deleted, it is hidden, says until when it can be undone, and plays nowhere', async () => {
  const second = await freshTab(browser, server.url);
  await second.page.getByRole('button', { name: 'I have a hero already' }).click();
  await login(second.page);
  await saved(second.page);
  const sameBrowser = await openTab(context, server.url);
  await saved(sameBrowser.page);

  const card = page.getByRole('region', { name: 'Your data' });
  await card.getByText('Delete this hero').focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await page.keyboard.type('not the password');
  await page.keyboard.press('Enter');
  await expect.poll(() => page.locator('[data-code=wrong_login]').count()).toBe(1);
  await card.getByLabel('Your password', { exact: true }).fill(PASSWORD);
  await page.keyboard.press('Enter');
  await heading(page, 'This hero is hidden');
  await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe('This hero is hidden');
  expect(await hiddenPage(page).textContent()).toContain(dayIn(30));
  expect(await page.getByRole('navigation').count()).toBe(0);
  await expect.poll(() => status(page)).toBe('Hidden');

  // Another device is out; another tab of this one shows the same.
  await second.page.getByTestId('signed-out').waitFor();
  await hiddenPage(sameBrowser.page).waitFor();
  await second.page.getByTestId('signed-out').getByRole('button', { name: 'Log in' }).click();
  await login(second.page);
  await hiddenPage(second.page).waitFor();
  // A key that starts a session starts nothing.
  await second.page.keyboard.press('Space');
  await page.reload();
  await hiddenPage(page).waitFor();
  expect(JSON.parse((await download(page, 'Everything (JSON)')).text)).toMatchObject({ account: { mail: MAIL } });
  await page.getByRole('button', { name: 'Account and devices' }).click();
  await heading(page, 'Account');
  await page.getByTestId('erasure').getByText(/hidden, and erased for good on/).waitFor();
  await page.keyboard.press('Escape');
  await hiddenPage(page).waitFor();
  expect([...complaints, ...second.complaints, ...sameBrowser.complaints]).toEqual([]);
  await second.context.close();
  await sameBrowser.page.close();
});

it('kept after all, everything is there and can be played', async () => {
  await page.getByRole('button', { name: 'Keep it after all' }).focus();
  await page.keyboard.press('Enter');
  await page.getByText('It stays. Everything is as you left it.').waitFor();
  await saved(page);
  await open(page, 'Tasks');
  await page.getByRole('checkbox', { name: TITLE }).waitFor();
  await makeTask(page, 'Played on');
  await page.reload();
  await saved(page);
  expect(await hiddenPage(page).count()).toBe(0);
  expect(complaints).toEqual([]);
});

it('a guest is asked twice, and gone then', async () => {
  const tab = await freshTab(browser, server.url);
  await startButton(tab.page).click();
  await saved(tab.page);
  await tab.page.getByRole('button', { name: /^Cancel|^End here/ }).first().click();
  await tab.page.keyboard.press('n');
  await makeTask(tab.page, 'A guest was here');
  await open(tab.page, 'You');
  const csv = await download(tab.page, 'Energy and dopamine, line by line (CSV)');
  expect(csv.text).toContain('time_utc,');
  const before = await tab.page.evaluate(() => localStorage.getItem('dopamine-hero.device'));
  const card = tab.page.getByRole('region', { name: 'Your data' });
  await card.getByText('Delete this hero').click();
  await card.getByRole('button', { name: 'Delete the hero' }).click();
  await expect.poll(() => tab.page.evaluate(() => document.activeElement?.textContent)).toBe('Keep it');
  await card.getByRole('button', { name: 'Keep it' }).click();
  await card.getByRole('button', { name: 'Delete the hero' }).click();
  await card.getByRole('button', { name: 'Delete it for good' }).click();
  await startButton(tab.page).waitFor();
  await tab.page.getByText('The hero is deleted. A new one begins whenever you like.').waitFor();
  const kept = await tab.page.evaluate(() => JSON.stringify({ ...localStorage }));
  expect(kept).not.toContain('A guest was here');
  const { hero_id, device_token } = JSON.parse(before ?? '{}') as { hero_id: string; device_token: string };
  expect(kept).not.toContain(hero_id);
  const ticket = await fetch(`${server.url}v1/ws-ticket`, { method: 'POST', headers: { authorization: `Bearer ${device_token}` } });
  expect(ticket.status).toBe(401);
  await startButton(tab.page).click();
  await saved(tab.page);
  expect(tab.complaints).toEqual([]);
  await tab.context.close();
});
