import type { Browser, Page } from 'playwright-core';
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

/** What keeps the browser from offering to install the page on a phone or a desktop. */
async function hindrances(page: Page): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  const { installabilityErrors } = await session.send('Page.getInstallabilityErrors');
  // A private window, as tests are, installs nothing.
  return installabilityErrors.map((error) => error.errorId).filter((id) => id !== 'in-incognito');
}

it('the client can be installed as an app', async () => {
  const { page, complaints } = await freshTab(browser, server.url);
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => null));
  expect(await hindrances(page)).toEqual([]);

  const session = await page.context().newCDPSession(page);
  const { url, errors, data } = await session.send('Page.getAppManifest');
  expect(errors).toEqual([]);
  expect(url).toBe(`${server.url}manifest.webmanifest`);
  const manifest = JSON.parse(data ?? '') as { start_url: string; display: string; icons: { src: string }[] };
  expect(manifest).toMatchObject({ start_url: '/', display: 'standalone' });
  expect(manifest.icons.length).toBeGreaterThan(0);
  for (const { src } of manifest.icons) {
    const type = (await page.request.get(new URL(src, server.url).href)).headers()['content-type'];
    expect(type, src).toContain('image/');
  }
  expect(complaints).toEqual([]);
});

it('a page without a manifest cannot be', async () => {
  const { page } = await freshTab(browser, server.url);
  await page.evaluate(() => document.querySelector('link[rel=manifest]')?.remove());
  await expect.poll(() => hindrances(page)).toContain('no-manifest');
});
