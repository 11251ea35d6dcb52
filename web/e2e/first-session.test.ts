import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshTab, GameServer, launch, sessionEnergy, startButton, status, timerSeconds } from './harness';

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

it('a person starts without an account, sees energy come, and patches the first module', async () => {
  const { page, complaints } = await freshTab(browser, server.url);
  expect(await page.locator('input').count()).toBe(0);
  await expect.poll(() => startButton(page).evaluate((button) => button === document.activeElement)).toBe(true);

  await page.keyboard.press('Enter');
  await page.getByTestId('timer').waitFor({ timeout: 500 });
  expect(await timerSeconds(page)).toBeGreaterThanOrEqual(299);
  await expect.poll(() => status(page)).toBe('All saved');
  await expect.poll(() => page.title()).toMatch(/^4:5\d · Dopamine Hero$/);
  await expect.poll(() => page.getByTestId('announcer').textContent()).toContain('5 min to go');

  await page.getByLabel('What on?').fill('The first page');
  await page.keyboard.press('Enter');
  await expect.poll(() => status(page)).toBe('All saved');

  // The free module is being assembled while the first energy comes.
  await page.getByTestId('job').waitFor();
  const early = await sessionEnergy(page);
  await expect.poll(() => sessionEnergy(page)).toBeGreaterThan(early + 0.1);
  await expect.poll(() => page.locator('.lamps [data-lit=true]').count(), { timeout: 20_000 }).toBeGreaterThanOrEqual(1);
  await expect.poll(() => page.getByTestId('job').count(), { timeout: 30_000 }).toBe(0);

  // A session under a minute is not counted, so this one is a little longer.
  await expect.poll(() => timerSeconds(page), { timeout: 75_000 }).toBeLessThan(238);
  expect(await sessionEnergy(page)).toBeGreaterThan(2.3);
  await page.getByRole('button', { name: 'End here' }).click();
  await page.getByTestId('summary').waitFor();
  await expect.poll(() => page.locator('.gains-total').textContent()).toMatch(/\+2\.[4-9]/);
  await page.getByRole('button', { name: 'Patch your first module' }).click();
  await page.getByRole('button', { name: 'Look at your rack' }).click();
  await expect.poll(() => page.getByRole('gridcell', { name: /Sine, powered, cable to the core/ }).count()).toBe(1);
  await expect.poll(() => page.locator('.rack-facts').textContent()).toContain('0.24');
  await expect.poll(() => status(page)).toBe('All saved');
  expect(complaints).toEqual([]);
});

it('what the rules refuse is rolled back with its reason', async () => {
  const { page, complaints } = await freshTab(browser, server.url);
  await startButton(page).click();
  await page.getByRole('button', { name: 'Take it back' }).click();
  await startButton(page).waitFor();
  await page.keyboard.press('b');
  await expect.poll(() => page.getByRole('alert').textContent()).toContain('“Start break” did not go through.');
  await page.getByRole('button', { name: 'Dismiss' }).click();
  await startButton(page).waitFor();
  expect(await page.getByRole('alert').count()).toBe(0);
  expect(complaints).toEqual([]);
});
