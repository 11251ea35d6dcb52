import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { freshTab, type GameServer, launch, open as openPage, saved as savedOn, seededServer, status } from './harness';

let server: GameServer;
let browser: Browser;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  const started = await seededServer();
  ({ server } = started);
  browser = await launch();
  const tab = await freshTab(browser, server.url);
  ({ page, complaints } = tab);
  await page.evaluate((kept) => localStorage.setItem('dopamine-hero.device', JSON.stringify(kept)), started.seeded);
  await page.reload();
});

beforeEach(async () => {
  await expect.poll(() => status(page)).toBe('All saved');
});

afterAll(async () => {
  await browser?.close();
  await server?.remove();
});

const open = (name: string) => openPage(page, name);
const saved = () => savedOn(page);
const cell = (name: RegExp) => page.getByRole('gridcell', { name });
const refusals = () => page.getByRole('alert').allTextContents();

it('a module is upgraded with dopamine', async () => {
  await open('Workshop');
  const card = page.locator('[data-module="gen_sine"]');
  const before = Number((await page.getByTestId('dopamine').textContent())?.replaceAll(',', ''));
  await card.getByRole('button', { name: /Level 2/ }).click();
  await expect.poll(() => card.textContent()).toContain('level 2');
  await saved();
  expect(Number((await page.getByTestId('dopamine').textContent())?.replaceAll(',', ''))).toBeLessThan(before);
});

it('a dear module is pinned, paid in instalments and let go again', async () => {
  await open('Workshop');
  await page.getByRole('radio', { name: 'Multipliers' }).click();
  const energy = () => page.getByTestId('energy').textContent();
  const before = await energy();
  await page.locator('.module', { has: page.getByRole('button', { name: 'Pin' }) }).first().getByRole('button', { name: 'Pin' }).click();
  await page.getByRole('button', { name: /Put .* E in/ }).click();
  await expect.poll(energy).toBe('0.0');
  await page.getByRole('button', { name: /Let go/ }).click();
  await expect.poll(energy).toBe(before);
});

it('a module is pulled to another cell, taken out, and patched again', async () => {
  await open('Rack');
  // A full rack first gets an empty cell.
  await cell(/^Row 1, column 1: /).click();
  await page.getByRole('button', { name: 'Take out' }).click();
  await expect.poll(() => cell(/^Row 1, column 1: empty/).count()).toBe(1);
  await saved();
  const from = await cell(/^Row 2, column 1: /).boundingBox();
  const to = await cell(/^Row 1, column 1: /).boundingBox();
  if (from === null || to === null) throw new Error('a cell is not on the page');
  await page.mouse.move(from.x + from.width / 2, from.y + from.height / 2);
  await page.mouse.down();
  await page.mouse.move(to.x + to.width / 2, to.y + to.height / 2, { steps: 6 });
  await page.mouse.up();
  await expect.poll(() => cell(/^Row 2, column 1: empty/).count()).toBe(1);
  await saved();
  const rate = () => page.locator('.rack-facts .dopamine').textContent();
  const broken = Number(await rate());
  await page.getByRole('button', { name: 'Patch it for me' }).click();
  await expect.poll(async () => Number(await rate())).toBeGreaterThan(broken);
  expect(await refusals()).toEqual([]);
});

it('cables are plugged by mouse and in the list', async () => {
  await open('Rack');
  await page.getByText('The rack as a list').click();
  const list = page.getByLabel(/^Cable of /).first();
  const before = await list.inputValue();
  await list.selectOption('');
  await expect.poll(() => list.inputValue()).toBe('');
  await list.selectOption(before);
  await expect.poll(() => list.inputValue()).toBe(before);
  await saved();
  expect(await refusals()).toEqual([]);
});

it('a rack is kept under a name and loaded again', async () => {
  await open('Rack');
  const kept = await page.locator('.presets > li').count();
  await page.getByLabel('Name of the preset').fill('Evening reading');
  await page.getByRole('button', { name: 'Keep', exact: true }).click();
  await page.getByText('Evening reading').waitFor();
  await page.locator('li', { hasText: 'Evening reading' }).getByRole('button', { name: 'Load' }).click();
  await saved();
  await page.locator('li', { hasText: 'Evening reading' }).getByRole('button', { name: 'Remove' }).click();
  await expect.poll(() => page.locator('section[aria-label=Presets] li').count()).toBeLessThanOrEqual(kept);
  expect(await refusals()).toEqual([]);
});

it('a task is split, edited, finished, reopened and deleted', async () => {
  await open('Tasks');
  await page.getByLabel('Add a task').fill('Plan the move');
  await page.getByLabel('Add a task').press('Enter');
  const task = page.getByTestId('task').filter({ hasText: 'Plan the move' });
  await task.getByRole('button', { name: 'Split it' }).click();
  for (const step of ['Count the boxes', 'Call a van']) {
    await page.getByLabel('A step of Plan the move').fill(step);
    await page.getByLabel('A step of Plan the move').press('Enter');
  }
  await expect.poll(() => page.getByRole('checkbox', { name: 'Call a van' }).count()).toBe(1);
  await saved();
  await page.getByRole('checkbox', { name: 'Count the boxes' }).click();
  await expect.poll(() => page.getByRole('checkbox', { name: 'Count the boxes' }).isChecked()).toBe(true);
  await task.getByRole('button', { name: 'Edit' }).first().click();
  await page.getByLabel('Importance').selectOption('high');
  await page.getByLabel('Estimate, minutes').fill('45');
  await page.getByLabel('By', { exact: true }).fill('2030-01-31');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect.poll(() => task.first().textContent()).toContain('31 Jan');
  await page.getByRole('checkbox', { name: 'Plan the move' }).click();
  await saved();
  await page.getByRole('checkbox', { name: 'Plan the move' }).click();
  await expect.poll(() => page.getByRole('checkbox', { name: 'Plan the move' }).isChecked()).toBe(false);
  await task.getByRole('button', { name: 'Edit' }).first().click();
  await page.getByRole('button', { name: 'Delete this task' }).click();
  await expect.poll(() => page.getByText('Plan the move').count()).toBe(0);
  await saved();
  expect(await refusals()).toEqual([]);
});

it('a task repeats: every few days, then on weekdays, and is ticked for its date only', async () => {
  await open('Tasks');
  await page.getByLabel('Add a task').fill('Water the plants');
  await page.getByLabel('Add a task').press('Enter');
  const task = page.getByTestId('task').filter({ hasText: 'Water the plants' });
  await task.waitFor();
  await saved();
  await task.getByRole('button', { name: 'Edit' }).click();
  await page.getByLabel('Repeats').selectOption('every_days');
  await page.getByLabel('Every how many days').fill('3');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect.poll(() => task.textContent()).toContain('every 3 days');
  await saved();

  // Its first date is today: ticked off, it stays so when the page comes back.
  const box = page.getByRole('checkbox', { name: 'Water the plants' });
  await expect.poll(() => box.isEnabled()).toBe(true);
  await box.click();
  await saved();
  await page.reload();
  await open('Tasks');
  await expect.poll(() => box.isChecked()).toBe(true);
  await box.click();
  await saved();
  await expect.poll(() => box.isChecked()).toBe(false);

  // By keyboard: all weekdays but Monday to Friday are off, and Sunday is added.
  await task.getByRole('button', { name: 'Edit' }).click();
  await page.getByLabel('Repeats').selectOption('weekdays');
  const weekdays = page.getByRole('group', { name: 'On these weekdays' });
  expect(await weekdays.getByRole('button', { pressed: true }).allTextContents()).toEqual(['Mon', 'Tue', 'Wed', 'Thu', 'Fri']);
  await weekdays.getByRole('button', { name: 'Sun' }).press('Space');
  await weekdays.getByRole('button', { name: 'Tue' }).press('Enter');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect.poll(() => task.textContent()).toContain('Mon, Wed, Thu, Fri, Sun');
  await saved();
  await page.reload();
  await open('Tasks');
  await task.getByRole('button', { name: 'Edit' }).click();
  expect(await weekdays.getByRole('button', { pressed: true }).count()).toBe(5);
  await page.getByRole('button', { name: 'Delete this task' }).click();
  await saved();
  expect(await refusals()).toEqual([]);
});

it('name, goal, rest days and vacation are kept by the server', async () => {
  await open('You');
  await page.getByLabel('Name', { exact: true }).fill('Ada L.');
  await page.getByLabel('Name', { exact: true }).press('Enter');
  await expect.poll(() => page.getByRole('heading', { level: 1 }).textContent()).toBe('Ada L.');
  await page.getByRole('button', { name: 'Wed' }).click();
  await page.getByLabel('Vacation from today, days').fill('3');
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await page.getByText('On vacation until').waitFor();
  await page.getByRole('button', { name: 'Back early' }).click();
  await page.getByLabel('Vacation from today, days').waitFor();
  await saved();
  await page.reload();
  await open('You');
  expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Ada L.');
  expect(await page.getByRole('button', { name: 'Wed' }).getAttribute('aria-pressed')).toBe('true');
  expect(await refusals()).toEqual([]);
});

it('words and task of a session are kept side by side', async () => {
  await open('Tasks');
  await page.getByLabel('Add a task').fill('Sort the photos');
  await page.getByLabel('Add a task').press('Enter');
  await saved();
  const task = page.getByTestId('task').filter({ hasText: 'Sort the photos' });
  await task.getByRole('button', { name: '5 min' }).click();
  await open('Focus');
  const chosen = () => page.getByLabel('For a task').locator('option:checked').textContent();
  await expect.poll(chosen).toBe('Sort the photos');
  await page.getByLabel('What on?').fill('The ones of the summer');
  await page.keyboard.press('Enter');
  await saved();
  await page.reload();
  await saved();
  expect(await chosen()).toBe('Sort the photos');
  await page.getByLabel('For a task').selectOption('');
  await saved();
  await page.reload();
  await saved();
  expect(await chosen()).toBe('for no task');
  expect(await page.getByLabel('What on?').inputValue()).toBe('The ones of the summer');
  await page.getByRole('button', { name: /Take it back|End here/ }).click();
  await saved();
  expect(await refusals()).toEqual([]);
});

it('flowtime and pomodoro run too', async () => {
  await open('Focus');
  await page.getByRole('radio', { name: 'Flowtime' }).click();
  await page.getByRole('button', { name: 'Start without an end' }).click();
  await expect.poll(() => page.getByTestId('timer').textContent()).toBe('0:02');
  await page.getByRole('button', { name: 'Take it back' }).click();
  await saved();
  await page.getByRole('radio', { name: 'Pomodoro' }).click();
  await page.getByRole('button', { name: 'Start 4 × 25 min' }).click();
  await expect.poll(() => page.locator('.clock-state').textContent()).toBe('Round 1 of 4');
  await page.getByRole('button', { name: 'Take it back' }).click();
  await saved();
  expect(await refusals()).toEqual([]);
  expect(complaints).toEqual([]);
});
