/** The pictures of the documentation, taken from the real thing: a new hero, and a seeded one with some weeks behind it. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Device, freshTab, type GameServer, launch, pause, seededServer, startButton, status, timerSeconds } from './harness';
import { join as becomeOperator, visit } from './operator';

const FOLDER = join(import.meta.dirname, '../../docs/images');
const SCREENS: Record<string, BrowserContextOptions> = {
  dark: { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' },
  light: { viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
  phone: { viewport: { width: 390, height: 844 }, colorScheme: 'dark', isMobile: true, hasTouch: true },
};

let server: GameServer;
let browser: Browser;
/** Device token and hero of the player with the longest history. */
let veteran: Device;

beforeAll(async () => {
  await mkdir(FOLDER, { recursive: true });
  ({ server, seeded: veteran } = await seededServer());
  browser = await launch();
});

afterAll(async () => {
  await browser?.close();
  await server?.remove();
});

async function take(page: Page, name: string): Promise<void> {
  // Fonts and the first frames of what moves.
  await page.evaluate(() => document.fonts.ready.then(() => null));
  await page.mouse.move(0, 0);
  await page.evaluate(() => {
    scrollTo(0, 0);
    if (document.activeElement instanceof HTMLInputElement) document.activeElement.blur();
  });
  await page.screenshot({ path: join(FOLDER, `${name}.png`) });
}

it.each(Object.keys(SCREENS))('a new hero, %s', async (screen) => {
  const { page } = await freshTab(browser, server.url, { ...SCREENS[screen], reducedMotion: 'reduce' });
  await take(page, `first-${screen}`);
  await startButton(page).click();
  await expect.poll(() => status(page)).toBe('All saved');
  await page.getByLabel('What on?').fill('The first page of the report');
  await page.keyboard.press('Enter');
  await expect.poll(() => timerSeconds(page)).toBeLessThan(289);
  await take(page, `running-${screen}`);
});

it.each(Object.keys(SCREENS))('a hero of some weeks, %s', async (screen) => {
  const { page } = await freshTab(browser, server.url, { ...SCREENS[screen], reducedMotion: 'reduce' });
  await page.evaluate((device) => localStorage.setItem('dopamine-hero.device', JSON.stringify(device)), veteran);
  await page.reload();
  await expect.poll(() => status(page)).toBe('All saved');
  await take(page, `home-${screen}`);
  for (const name of ['Tasks', 'Workshop', 'Rack', 'You']) {
    await page.getByRole('navigation').getByRole('button', { name }).click();
    await take(page, `${name === 'You' ? 'profile' : name.toLowerCase()}-${screen}`);
  }
});

it('the operators’ panel', async () => {
  const players = await Promise.all([1, 2, 3].map(() => freshTab(browser, server.url)));
  for (const { page } of players) {
    await startButton(page).click();
    await expect.poll(() => status(page)).toBe('All saved');
  }
  const token = await server.invite('mira', 'owner');
  const { page } = await freshTab(browser, server.admin, { ...SCREENS['dark'], reducedMotion: 'reduce' });
  await becomeOperator(page, token);
  // Enough history for a curve.
  await expect.poll(() => page.locator('.chart canvas').count(), { timeout: 30_000 }).toBeGreaterThan(5);
  await pause(60_000);
  await take(page, 'operators-overview-dark');
  await page.getByLabel('Colours').selectOption('light');
  await page.getByText('History').waitFor();
  await take(page, 'operators-overview-light');
  await visit(page, `players/${veteran.hero_id}/timeline`, /./);
  await page.getByRole('table', { name: 'Events' }).waitFor();
  await take(page, 'operators-timeline-light');
  await page.getByLabel('Colours').selectOption('dark');
  await visit(page, `players/${veteran.hero_id}/balance`, /./);
  await page.getByRole('table', { name: 'Changes' }).waitFor();
  await take(page, 'operators-balance-dark');
  await page.setViewportSize({ width: 390, height: 844 });
  await visit(page, 'overview', 'Overview');
  await page.locator('.figure').first().waitFor();
  await take(page, 'operators-overview-phone');
  for (const { context } of players) await context.close();
});
