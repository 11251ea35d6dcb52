import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { disagreement, freshTab, GameServer, launch, nextSecond, openTab, pause, startButton, status, timerSeconds } from './harness';

let server: GameServer;
let browser: Browser;

beforeAll(async () => {
  server = await GameServer.start();
  browser = await launch();
});

afterAll(async () => {
  await browser?.close();
  await server?.remove();
});

it('a reload in mid-session keeps the timer within a second', async () => {
  const { page, complaints } = await freshTab(browser, server.url);
  await startButton(page).click();
  await expect.poll(() => status(page)).toBe('All saved');
  await expect.poll(() => timerSeconds(page)).toBeLessThan(297);

  const before = await nextSecond(page);
  await page.reload();
  await page.getByTestId('timer').waitFor();
  expect(disagreement(before, await nextSecond(page))).toBeLessThanOrEqual(1);

  await expect.poll(() => status(page)).toBe('All saved');
  expect(disagreement(before, await nextSecond(page))).toBeLessThanOrEqual(1);
  expect(complaints).toEqual([]);
});

it('two tabs agree within a second, and each is a full remote control', async () => {
  const first = await freshTab(browser, server.url);
  await startButton(first.page).click();
  await expect.poll(() => status(first.page)).toBe('All saved');
  const second = await openTab(first.context, server.url);
  await expect.poll(() => status(second.page)).toBe('All saved');
  await pause(1_500);
  const [a, b] = await Promise.all([nextSecond(first.page), nextSecond(second.page)]);
  expect(disagreement(a, b)).toBeLessThanOrEqual(1);
  await expect.poll(() => second.page.locator('.banners').textContent()).toContain('Running on another screen too');

  await second.page.getByRole('button', { name: 'Pause' }).click();
  await first.page.getByRole('button', { name: 'Go on' }).waitFor();
  expect(await timerSeconds(first.page)).toBe(await timerSeconds(second.page));
  await first.page.getByRole('button', { name: 'Go on' }).click();
  await second.page.getByRole('button', { name: 'Pause' }).waitFor();

  // Each tab has a stream of its own: both may wish at the same time.
  await Promise.all([first, second].map(({ page }, index) => page.getByLabel('What on?').fill(`from tab ${index}`)));
  await Promise.all([first, second].map(({ page }) => page.keyboard.press('Enter')));
  for (const { page } of [first, second]) await expect.poll(() => status(page)).toBe('All saved');
  expect([...first.complaints, ...second.complaints]).toEqual([]);
});
