import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshTab, GameServer, launch, startButton, status } from './harness';

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

/** Everything on the page that moves by itself, style sheets and scripts alike. */
const moving = (page: Page) => page.evaluate(() => document.getAnimations().filter((one) => one.playState === 'running').length);

async function chooseMotion(page: Page, name: 'As the system' | 'Full' | 'Reduced'): Promise<void> {
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByRole('radiogroup', { name: 'Motion' }).getByRole('radio', { name }).click();
  await page.keyboard.press('Escape');
  await startButton(page).waitFor();
}

describe('reduced motion', () => {
  it.each([
    ['the system asks for less', 'reduce', null, true],
    ['the player asks for less', 'no-preference', 'Reduced', true],
    ['the player wants all of it, whatever the system says', 'reduce', 'Full', false],
    ['nobody asks', 'no-preference', null, false],
  ] as const)('%s', async (_, reducedMotion, choice, isStill) => {
    const { page, complaints } = await freshTab(browser, server.url, { reducedMotion });
    if (choice !== null) await chooseMotion(page, choice);
    const expectMotion = () => expect.poll(async () => (await moving(page)) === 0).toBe(isStill);
    await expectMotion();
    await startButton(page).click();
    await page.getByTestId('timer').waitFor();
    await expectMotion();
    await expect.poll(() => status(page)).toBe('All saved');
    await expectMotion();
    expect(complaints).toEqual([]);
  });
});

it('low stimulation shows the timer and nothing else', async () => {
  const { page } = await freshTab(browser, server.url);
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByRole('switch', { name: /Low stimulation/ }).check();
  await page.keyboard.press('Escape');
  await startButton(page).click();
  await page.getByTestId('timer').waitFor();
  expect(await page.locator('.scene').count()).toBe(0);
  expect(await page.getByRole('navigation').count()).toBe(0);
  await expect.poll(() => moving(page)).toBe(0);
});

describe('every size', () => {
  it.each([
    [360, 640, 100],
    [360, 640, 200],
    [1280, 800, 200],
  ])('at %i by %i with text at %i nothing is cut off', async (width, height, text) => {
    const { page } = await freshTab(browser, server.url, { viewport: { width, height } });
    await page.evaluate((percent) => {
      localStorage.setItem('dopamine-hero.settings', JSON.stringify({ textPercent: percent }));
    }, text);
    await page.reload();
    await startButton(page).click();
    await page.getByTestId('timer').waitFor();
    const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(await overflow()).toBeLessThanOrEqual(0);
    await page.keyboard.press('r');
    await page.getByRole('grid').waitFor();
    expect(await overflow()).toBeLessThanOrEqual(0);
  });
});
