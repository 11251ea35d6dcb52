import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { disagreement, freshTab, GameServer, launch, nextSecond, pause, sessionEnergy, startButton, status, timerSeconds } from './harness';

let server: GameServer;
let browser: Browser;

beforeAll(async () => {
  browser = await launch();
});
beforeEach(async () => {
  server = await GameServer.start();
});
afterEach(() => server.remove());
afterAll(() => browser?.close());

const tasks = (page: Page) => page.getByTestId('task').locator('.task-title').allTextContents();

async function addTask(page: Page, title: string): Promise<void> {
  await page.getByLabel('Add a task').fill(title);
  await page.getByLabel('Add a task').press('Enter');
}

it('the server is killed with -9 in mid-session; the page recovers by itself and nothing is missing', async () => {
  const { page, complaints } = await freshTab(browser, server.url);
  await startButton(page).click();
  await expect.poll(() => status(page)).toBe('All saved');
  const atStart = await nextSecond(page);
  await page.getByLabel('What on?').fill('survives');
  await page.keyboard.press('Enter');
  await expect.poll(() => status(page)).toBe('All saved');
  await expect.poll(() => sessionEnergy(page)).toBeGreaterThan(0.1);

  await server.end('SIGKILL');
  await expect.poll(() => page.locator('.banners').textContent()).toContain('The timer runs on and will be saved');
  await pause(3_000);
  expect(disagreement(atStart, await nextSecond(page))).toBeLessThanOrEqual(1);

  await server.start();
  await expect.poll(() => status(page), { timeout: 45_000 }).toBe('All saved');
  expect(disagreement(atStart, await nextSecond(page))).toBeLessThanOrEqual(1);
  expect(await page.getByLabel('What on?').inputValue()).toBe('survives');
  const energy = await sessionEnergy(page);
  await expect.poll(() => sessionEnergy(page)).toBeGreaterThan(energy);
  expect(await page.locator('.banner').count()).toBe(0);

  await page.reload();
  await expect.poll(() => status(page)).toBe('All saved');
  expect(await page.getByLabel('What on?').inputValue()).toBe('survives');
  expect(complaints).toEqual([]);
});

it('what is done without a server waits, is counted, survives a reload of the data, and is saved once', async () => {
  const { page, complaints } = await freshTab(browser, server.url);
  await startButton(page).click();
  await expect.poll(() => status(page)).toBe('All saved');
  await page.getByRole('button', { name: 'Take it back' }).click();
  await expect.poll(() => status(page)).toBe('All saved');
  await page.keyboard.press('n');
  await addTask(page, 'before the outage');
  await expect.poll(() => status(page)).toBe('All saved');

  await server.end('SIGTERM');
  await expect.poll(() => status(page)).toContain('Reconnecting');
  await addTask(page, 'first while away');
  await addTask(page, 'second while away');
  await page.getByRole('checkbox', { name: 'before the outage' }).click();
  expect(await status(page)).toContain('3 to save');
  await expect.poll(() => page.locator('.banners').textContent()).toContain('3 changes wait');
  await expect.poll(() => tasks(page)).toEqual(['first while away', 'second while away', 'before the outage']);

  await server.start();
  await expect.poll(() => status(page), { timeout: 45_000 }).toBe('All saved');
  expect(await tasks(page)).toEqual(['first while away', 'second while away', 'before the outage']);
  await page.reload();
  await page.getByRole('navigation').getByRole('button', { name: 'Tasks' }).click();
  await expect.poll(() => status(page)).toBe('All saved');
  expect(await tasks(page)).toEqual(['first while away', 'second while away', 'before the outage']);
  expect(complaints).toEqual([]);
});

it('a reload without a server shows the running timer, and what was wished before it is still saved', async () => {
  const { page, complaints } = await freshTab(browser, server.url);
  await startButton(page).click();
  await expect.poll(() => status(page)).toBe('All saved');
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => null));
  await expect.poll(() => timerSeconds(page)).toBeLessThan(299);

  await server.end('SIGKILL');
  await page.getByLabel('What on?').fill('kept over the reload');
  await page.keyboard.press('Enter');
  await expect.poll(() => status(page)).toContain('1 to save');
  const before = await nextSecond(page);
  await page.reload();
  await page.getByTestId('timer').waitFor();
  expect(disagreement(before, await nextSecond(page))).toBeLessThanOrEqual(1);
  expect(await status(page)).toContain('1 to save');

  await server.start();
  await expect.poll(() => status(page), { timeout: 45_000 }).toBe('All saved');
  expect(await page.getByLabel('What on?').inputValue()).toBe('kept over the reload');
  expect(complaints).toEqual([]);
});

it('the very first start works before any server answers', async () => {
  const { page, complaints } = await freshTab(browser, server.url);
  await server.end('SIGKILL');
  await startButton(page).click();
  await expect.poll(() => timerSeconds(page)).toBeLessThan(298);
  expect(await page.locator('.banners').textContent()).toContain('will be saved');
  await server.start();
  await expect.poll(() => status(page), { timeout: 45_000 }).toBe('All saved');
  await expect.poll(() => sessionEnergy(page)).toBeGreaterThan(0);
  expect(complaints).toEqual([]);
});
