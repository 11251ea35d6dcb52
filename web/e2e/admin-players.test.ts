/** What operators see of players and do for them, with the player's own page beside. */

import { readFile } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshTab, type GameServer, launch, open, saved, seededServer, status, type Tab } from './harness';
import { carryOut, invited, type Operator, owner, said, visit } from './operator';

/** As long as a name may be. */
const NAME = '<img src=x onerror=window.owned=1>';
const REASON = 'lost two sessions in an outage';

let server: GameServer;
let browser: Browser;
let mira: Operator;
let page: Page;
let player: Tab;
let hero: string;

beforeAll(async () => {
  const started = await seededServer();
  ({ server } = started);
  hero = started.seeded.hero_id;
  browser = await launch();
  player = await freshTab(browser, server.url);
  await player.page.evaluate((device) => localStorage.setItem('dopamine-hero.device', JSON.stringify(device)), started.seeded);
  await player.page.reload();
  await player.page.getByTestId('status').getByText('All saved').waitFor();
  mira = await owner(browser, server);
  ({ page } = mira);
});

afterAll(async () => {
  await browser?.close();
  await server?.remove();
});

const tab = (name: string) => page.getByRole('navigation', { name: 'About this player' }).getByRole('link', { name });
const fact = (name: string) => page.locator('.facts > div', { has: page.locator('dt', { hasText: new RegExp(`^${name}$`) }) }).locator('dd').first().textContent();
/** Thousandths of the first amount in a text. */
const amount = (text: string | null) => Math.round(Number(/-?[\d,]+\.\d{3}/.exec((text ?? '').replaceAll('−', '-'))?.[0].replaceAll(',', '')) * 1_000);

async function openPlayer(): Promise<void> {
  await visit(page, `players/${hero}/hero`, NAME);
}

async function look(): Promise<void> {
  await page.getByRole('button', { name: 'Look again' }).click();
  await page.getByRole('button', { name: 'Look again' }).waitFor();
}

it('a player whose name is a script is found by its beginning, and its name is text everywhere', async () => {
  await open(player.page, 'You');
  await player.page.getByRole('region', { name: 'Your hero' }).getByLabel('Name').fill(NAME);
  await player.page.getByRole('region', { name: 'Your hero' }).getByRole('button', { name: 'Save' }).first().click();
  await player.page.getByRole('heading', { level: 1, name: NAME }).waitFor();
  await saved(player.page);

  await visit(page, 'players', 'Players');
  const found = page.getByTestId('found');
  // The read model follows the journal.
  await expect
    .poll(async () => {
      await page.getByLabel('Name, mail or id').fill('<img');
      await page.getByRole('button', { name: 'Search' }).click();
      await found.waitFor();
      return found.textContent();
    }, { timeout: 30_000 })
    .toContain(NAME);
  await found.getByRole('link', { name: NAME }).click();
  await page.getByRole('heading', { level: 1, name: NAME }).waitFor();
  expect(page.url()).not.toContain('img');
  for (const name of ['Timeline', 'Balance', 'Devices and sockets', 'Actions', 'Hero']) {
    await tab(name).click();
    await page.locator('.panel').first().waitFor();
    expect(await page.locator('main img').count()).toBe(0);
  }
  expect(await page.evaluate(() => 'owned' in window)).toBe(false);
  expect(await page.title()).not.toContain('img');
  await page.getByRole('link', { name: 'All players' }).click();
  await found.getByRole('link', { name: NAME }).waitFor();
  await page.getByLabel('Name, mail or id').fill(hero);
  await page.getByRole('button', { name: 'Search' }).click();
  await expect.poll(() => found.getByRole('row').count()).toBe(2);
  await page.getByLabel('Name, mail or id').fill('nobody@example.org');
  await page.getByRole('button', { name: 'Search' }).click();
  await page.getByText(/Nobody is found/).waitFor();
  expect(mira.complaints).toEqual([]);
});

it('the hero is shown as its player sees it', async () => {
  await openPlayer();
  await page.getByRole('region', { name: 'Rack' }).getByRole('img').waitFor();
  const energy = await player.page.getByTestId('energy').first().textContent();
  const shown = amount(await page.getByRole('region', { name: 'Wallet' }).locator('.amount').first().textContent());
  expect(Math.abs(shown / 1_000 - Number(energy?.replaceAll(',', '')))).toBeLessThanOrEqual(1);
  expect(await page.getByRole('table', { name: 'Owned modules' }).getByRole('row').count()).toBeGreaterThan(5);
});

it('the timeline tells every event, and leads back to any of them', async () => {
  await tab('Timeline').click();
  const events = page.getByRole('table', { name: 'Events' });
  await events.waitFor();
  expect(await events.getByRole('rowheader').count()).toBe(50);
  await page.getByRole('button', { name: 'Load earlier events' }).click();
  await expect.poll(() => events.getByRole('rowheader').count()).toBe(100);
  const seqs = (await events.getByRole('rowheader').allTextContents()).map(Number);
  expect(seqs).toEqual(seqs.map((_, index) => (seqs[0] ?? 0) - index));
  await page.getByRole('button', { name: `Details of event ${seqs[0]}` }).click();
  await page.getByTestId(`event-${seqs[0]}`).getByText(/Catalogue version 1/).waitFor();

  await page.getByLabel('After event', { exact: true }).fill('2');
  const then = page.getByTestId('then');
  await then.getByText('After event 2').waitFor();
  expect(page.url()).toMatch(/timeline\/2$/);
  await expect.poll(() => then.textContent()).toContain('What this event changed');
  expect(await then.textContent()).not.toContain(NAME);
  const early = amount(await then.locator('.amount').first().textContent());
  await page.getByRole('slider', { name: 'Event' }).focus();
  await page.keyboard.press('End');
  await then.getByText(`After event ${seqs[0]}`).waitFor();
  expect(early).toBe(0);
  expect(await then.textContent()).toContain(NAME);
  await then.getByRole('button', { name: 'Show the whole hero as it was' }).click();
  await then.getByRole('region', { name: 'Wallet' }).waitFor();
  await page.getByRole('link', { name: 'Back to now' }).click();
  await expect.poll(() => then.count()).toBe(0);
  expect(mira.complaints).toEqual([]);
});

it('says why a balance is what it is', async () => {
  await tab('Balance').click();
  await page.getByText(/Every change in the journal, added up/).waitFor();
  const causes = page.getByRole('table', { name: 'Sums by cause' });
  const total = amount(await page.locator('.answer .energy').textContent());
  const sums = await causes.locator('td[data-name="Energy"]').allTextContents();
  expect(sums.map((sum) => amount(sum) || 0).reduce((sum, value) => sum + value, 0)).toBe(total);
  const lines = page.getByRole('table', { name: 'Changes' });
  expect(amount(await lines.locator('td[data-name="then"]').first().textContent())).toBe(total);
});

it('a correction within the limit is made at once, and the player sees it', async () => {
  await tab('Actions').click();
  const before = amount(await page.getByTestId('preview').locator('.amount.energy').first().textContent());
  await page.getByLabel('Energy').fill('twelve');
  await page.getByText(/^Not an amount/).waitFor();
  await page.getByLabel('Energy').fill('+12.5');
  expect(amount(await page.getByTestId('preview').locator('strong .energy').textContent())).toBe(before + 12_500);
  await carryOut(page.getByRole('button', { name: 'Correct…' }), 'Correct', { reason: REASON });
  await expect.poll(() => said(page)).toMatch(/^Done as event \d+/);
  await expect.poll(() => page.getByLabel('Energy').inputValue()).toBe('');
  await expect.poll(async () => amount(await page.getByTestId('preview').locator('.amount.energy').first().textContent())).toBe(before + 12_500);
  await open(player.page, 'Focus');
  await expect.poll(async () => Math.abs(Number((await player.page.getByTestId('energy').first().textContent())?.replaceAll(',', '')) - (before + 12_500) / 1_000)).toBeLessThanOrEqual(1);

  await tab('Timeline').click();
  const row = page.getByRole('table', { name: 'Events' }).getByRole('row').nth(1);
  await expect.poll(() => row.textContent()).toContain('by operator mira');
  await row.getByRole('button', { name: /^Revert event/ }).click();
  const dialog = page.getByRole('dialog');
  await expect.poll(() => dialog.getByTestId('preview').textContent()).toContain('−12.500 E');
  await dialog.getByLabel('Reason').fill('granted to the wrong hero');
  await dialog.getByRole('button', { name: 'Take it back' }).click();
  await expect.poll(() => said(page)).toMatch(/^Done as event \d+/);
  await tab('Actions').click();
  await expect.poll(async () => amount(await page.getByTestId('preview').locator('.amount.energy').first().textContent())).toBe(before);
});

it('beyond the limit a second person must agree, and nobody agrees to an own wish', async () => {
  const before = amount(await page.getByTestId('preview').locator('.amount.energy').first().textContent());
  const limit = amount(/up to ([\d,.]+) E/.exec((await page.getByText(/One person alone/).first().textContent()) ?? '')?.[1] ?? null);
  expect(limit).toBeGreaterThan(0);
  const wish = limit + 1_000;
  await page.getByLabel('Energy').fill(String(wish / 1_000));
  await carryOut(page.getByRole('button', { name: 'Ask a second person…' }), 'Ask for it', { reason: REASON });
  await expect.poll(() => said(page)).toContain('waits for a second operator');
  await page.getByText(/^A second person must agree/).waitFor();
  expect(amount(await page.getByTestId('preview').locator('.amount.energy').first().textContent())).toBe(before);
  await page.getByRole('link', { name: 'To the approvals' }).click();
  await page.getByText('You asked for it yourself: somebody else has to decide.').first().waitFor();

  await visit(page, 'operators', 'Operators');
  const invite = page.getByRole('region', { name: 'Invite somebody' });
  await invite.getByLabel('Name').fill('anton');
  await invite.getByLabel('Role').selectOption('operator');
  await invite.getByRole('button', { name: 'Invite' }).click();
  const token = await page.getByTestId('invitation').locator('code').textContent();
  const anton = await invited(browser, server, 'anton', token ?? '');
  await visit(anton.page, 'approvals', 'Approvals');
  await carryOut(anton.page.getByRole('button', { name: /^Agree to approval/ }), 'Agree');
  await expect.poll(() => said(anton.page)).toContain('agreed');
  await anton.page.getByRole('table', { name: 'Decided approvals' }).getByText('approved').waitFor();
  expect(anton.complaints).toEqual([]);
  await anton.context.close();

  await visit(page, `players/${hero}/balance`, NAME);
  await look();
  await expect.poll(async () => amount(await page.locator('.answer .energy').textContent())).toBe(before + wish);
});

it('a socket is closed and the player’s page comes back by itself', async () => {
  await tab('Devices and sockets').click();
  await look();
  const sockets = page.getByRole('table', { name: 'Open sockets' });
  const first = await sockets.getByRole('rowheader').first().textContent();
  await carryOut(page.getByRole('button', { name: `Close socket ${first}` }), 'Close it', { reason: 'it hangs' });
  await expect.poll(async () => {
    await look();
    return (await sockets.getByRole('rowheader').allTextContents()).join();
  }, { timeout: 40_000 }).not.toContain(first ?? 'none');
  await expect.poll(() => status(player.page), { timeout: 40_000 }).toBe('All saved');
});

it('an export is a file with everything, and asks for a reason', async () => {
  await tab('Actions').click();
  await page.getByRole('button', { name: 'Export…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Export' }).click();
  expect(await dialog.count()).toBe(1);
  await dialog.getByLabel('Reason').fill('the player asks for it');
  const [file] = await Promise.all([page.waitForEvent('download'), dialog.getByRole('button', { name: 'Export' }).click()]);
  const text = await readFile(await file.path(), 'utf8');
  expect(text).toContain(hero);
  expect(() => JSON.parse(text) as unknown).not.toThrow();
});

it('a ban closes the player’s page within five seconds, and is lifted again', async () => {
  await carryOut(page.getByRole('button', { name: 'Ban…' }), 'Ban', { reason: 'tries to break in' });
  const from = Date.now();
  await player.page.getByText(/closed by an operator/).waitFor({ timeout: 8_000 });
  expect(Date.now() - from).toBeLessThan(8_000);
  await expect.poll(() => fact('Kind')).toBe('banned');
  await carryOut(page.getByRole('button', { name: 'Lift the ban…' }), 'Lift the ban', { reason: 'it was a mistake' });
  await expect.poll(() => fact('Kind')).not.toBe('banned');
  await player.page.reload();
  await saved(player.page);
  expect(mira.complaints).toEqual([]);
});

it('a guest is erased for good, after the word was typed', async () => {
  const other = await freshTab(browser, server.url);
  await other.page.getByRole('button', { name: 'Start 5 minutes' }).click();
  await saved(other.page);
  const guest = await other.page.evaluate(() => (JSON.parse(localStorage.getItem('dopamine-hero.device') ?? 'null') as { hero_id: string }).hero_id);
  await visit(page, `players/${guest}/actions`, /./);
  await page.getByRole('button', { name: 'Erase…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Reason').fill('the player asks for it');
  await dialog.getByRole('button', { name: 'Erase' }).click();
  expect(await dialog.count()).toBe(1);
  await dialog.getByLabel(/^Type/).fill('erase');
  await dialog.getByRole('button', { name: 'Erase' }).click();
  await expect.poll(() => dialog.count()).toBe(0);
  await visit(page, `players/${guest}/hero`, /./);
  await look();
  await expect.poll(() => page.locator('main').textContent(), { timeout: 30_000 }).toMatch(/will be erased|cannot be read|nobody’s|Not found/);
  await other.context.close();
});
