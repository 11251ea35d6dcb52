import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshTab, GameServer, launch } from './harness';

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

it('a used link says so and offers a new one, and its code is gone from the address', async () => {
  const tab = await freshTab(browser, `${server.url}#reset=used-or-never-given`);
  await tab.page.getByRole('heading', { level: 1, name: 'A new password' }).waitFor();
  expect(tab.page.url()).not.toContain('reset');
  await tab.page.getByLabel('New password').fill('a password that is long enough');
  await tab.page.getByRole('button', { name: 'Set the password' }).click();
  await tab.page.getByRole('button', { name: 'Ask for a new link' }).click();
  await tab.page.getByLabel('Mail').fill('nobody@example.org');
  await tab.page.getByRole('button', { name: 'Send the link' }).click();
  await tab.page.getByRole('heading', { level: 1, name: 'Look into your mail' }).waitFor();
  await tab.context.close();
});
