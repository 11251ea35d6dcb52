/** The pictures of the documentation, taken from the real thing: a new hero, and a seeded one with some weeks behind it. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Device, freshTab, type GameServer, launch, seededServer, startButton, status, timerSeconds } from './harness';

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
