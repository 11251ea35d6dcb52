import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshTab, GameServer, launch, status } from './harness';

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

const hasButton = (page: Page, name: string) => expect.poll(() => page.getByRole('button', { name }).count()).toBe(1);

/** Presses Tab until the control with this name has the focus. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  for (let step = 0; step < 80; step += 1) {
    const label = await page.evaluate(() => {
      const active = document.activeElement;
      return active === null ? '' : (active.getAttribute('aria-label') ?? active.textContent ?? '');
    });
    if (name.test(label)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`no control ${name} can be reached with Tab`);
}

it('a whole session, tasks and the rack work without a mouse', async () => {
  const { page, complaints } = await freshTab(browser, server.url);
  await page.keyboard.press('Space');
  await hasButton(page, 'Pause');
  await page.keyboard.press('Space');
  await hasButton(page, 'Go on');
  await page.keyboard.press('Space');
  await hasButton(page, 'Pause');
  await page.keyboard.press('i');
  await hasButton(page, 'I am back');
  await page.keyboard.press('Space');
  await hasButton(page, 'Pause');

  await page.keyboard.press('n');
  await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe('quick-add');
  await page.keyboard.type('Read the riddle book');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Escape');
  await expect.poll(() => page.getByTestId('timer').count()).toBe(1);

  await page.keyboard.press('?');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape');
  await expect.poll(() => page.getByRole('dialog').count()).toBe(0);

  // The free module takes 15 s while focusing.
  await expect.poll(() => page.getByTestId('job').count(), { timeout: 40_000 }).toBe(0);
  await page.keyboard.press('r');
  await tabTo(page, /^Pick up Sine$|^SinePick up Sine$/);
  await page.keyboard.press('Enter');
  await tabTo(page, /Row \d, column \d/);
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await expect.poll(() => page.getByRole('gridcell', { name: 'Row 1, column 2: Sine, not powered, no cable' }).count()).toBe(1);
  await expect.poll(() => status(page)).toBe('All saved');

  // Pick it up again, put it below; then a cable from it to the core.
  await page.keyboard.press('Enter');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect.poll(() => page.getByRole('gridcell', { name: /^Row 2, column 2: Sine/ }).count()).toBe(1);
  await expect.poll(() => status(page)).toBe('All saved');
  await page.keyboard.press('c');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('c');
  await expect.poll(() => page.getByRole('gridcell', { name: 'Row 2, column 2: Sine, powered, cable to the core' }).count()).toBe(1);

  await page.keyboard.press('Escape');
  await expect.poll(() => page.getByTestId('timer').count()).toBe(1);
  expect(complaints).toEqual([]);
});

it('single keys can be switched off', async () => {
  const { page } = await freshTab(browser, server.url);
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByRole('switch', { name: /Single-key shortcuts/ }).uncheck();
  await page.evaluate(() => (document.activeElement as HTMLElement).blur());
  await page.keyboard.press('?');
  await page.keyboard.press('r');
  expect(await page.getByRole('dialog').count()).toBe(0);
  expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Settings');
  await page.keyboard.press('Escape');
  await expect.poll(() => page.getByRole('button', { name: 'Start 5 minutes' }).count()).toBe(1);
});
