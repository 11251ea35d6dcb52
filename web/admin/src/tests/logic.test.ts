import type { Hero } from '@dopamine-hero/sdk';
import { describe, expect, it } from 'vitest';
import type { Overview, Role } from '../api.gen';
import { amountWords, needsSecond } from '../corrections';
import { changes, eventChanges, fieldWords } from '../diff';
import { healthOf, permille, playOf } from '../levels';
import { previousOf } from '../pages/catalogue';
import { budgetShare } from '../pages/cost';
import { windowProblem } from '../pages/outages';
import { qrPath } from '../parts/qr';
import { mayDo, ROLES, whyNot } from '../roles';
import { hrefOf, parseRoute, type Route } from '../router';
import { mergeSettings } from '../settings';
import { lineRange, utf8Bytes } from '../text';

const HERO = '0199a1b2-3c4d-7e5f-8a9b-0c1d2e3f4a5b';

describe('addresses', () => {
  const routes: Route[] = [
    { page: 'overview' },
    { page: 'players' },
    { page: 'player', hero: HERO, tab: 'timeline', seq: 60 },
    { page: 'player', hero: HERO, tab: 'actions', seq: null },
    { page: 'version', version: 3, view: 'dry-run' },
    { page: 'audit' },
  ];
  it.each(routes.map((route) => [hrefOf(route), route] as const))('%s leads where it came from', (href, route) => expect(parseRoute(href)).toEqual(route));

  it.each(['#/nowhere', '#/players/mira@example.org', '#/catalogue/x/text', '#/overview/1', `#/players/${HERO}/hero/1/2`, `#/players/${HERO}/everything`])('%s is no page', (hash) =>
    expect(parseRoute(hash).page).toBe('unknown'),
  );

  it('nothing is the overview, and a player begins with the hero', () => {
    expect(parseRoute('')).toEqual({ page: 'overview' });
    expect(parseRoute(`#/players/${HERO}`)).toEqual({ page: 'player', hero: HERO, tab: 'hero', seq: null });
  });
});

describe('roles', () => {
  it('each may do what those before it may, and no more', () => {
    for (const [index, role] of ROLES.entries()) for (const [needed, other] of ROLES.entries()) expect(mayDo(role, other)).toBe(index >= needed);
  });
  it('an unknown role may do nothing', () => expect(ROLES.some((needed) => mayDo('nobody' as Role, needed))).toBe(false));
  it('a button that is off says why', () => {
    expect(whyNot('support', 'operator')).toContain('operator');
    expect(whyNot('owner', 'operator')).toBeNull();
  });
});

describe('corrections', () => {
  const limit = { energy_me: 100_000, dopamine_md: 10_000, reverts: null };
  it.each([
    [100_000, 0, false],
    [100_001, 0, true],
    [-100_001, 0, true],
    [0, 10_001, true],
    [0, 0, false],
  ])('%i E and %i D need a second person: %s', (energy_me, dopamine_md, isNeeded) => expect(needsSecond({ energy_me, dopamine_md }, limit)).toBe(isNeeded));
  it('are said with sign and unit', () => {
    expect(amountWords({ energy_me: 1_500, dopamine_md: -20 })).toBe('+1.500 E and −0.020 D');
    expect(amountWords({ energy_me: 0, dopamine_md: 0 })).toBe('nothing');
  });
});

describe('what an event changed', () => {
  it('is told field by field, and what moved in a list is the same thing', () => {
    const hero = { wallet: { energy_me: 20, level: 2 }, tasks: [{ task_id: 2, title: 'b' }, { task_id: 3, title: 'c' }] } as unknown as Hero;
    const before = { wallet: { energy_me: 5, level: 2 }, tasks: [{ task_id: 1, title: 'a' }, { task_id: 2, title: 'B' }], tasks_removed: [3] } as unknown as Hero;
    expect(eventChanges(hero, before)).toEqual([
      { path: 'wallet.energy_me', from: '5', to: '20' },
      { path: 'tasks[1].task_id', from: '1', to: null },
      { path: 'tasks[1].title', from: 'a', to: null },
      { path: 'tasks[2].title', from: 'B', to: 'b' },
      { path: 'tasks[3].task_id', from: null, to: '3' },
      { path: 'tasks[3].title', from: null, to: 'c' },
    ]);
  });
  it('lists of plain values are one field', () => expect(changes({ powered: ['a'] }, { powered: ['a', 'b'] })).toEqual([{ path: 'powered', from: 'a', to: 'a, b' }]));
  it.each([
    ['wallet.energy_me', '803354', '803.354 E'],
    ['wallet.dopamine_md', '-5', '−0.005 D'],
    ['today.focus_ms', '7500000', '2 h 5 min'],
    ['focus.session.started_at_ms', '1795705200000', '2026-11-26 15:00:00'],
    ['focus.session.focus_ms_at_anchor', '60000', '1 min'],
    ['focus.session.intention', 'null', 'none'],
    ['profile.name', '12_me', '12_me'],
    ['streak.days', '12', '12'],
  ])('%s %s reads %s', (path, value, text) => expect(fieldWords(path, value, 'utc')).toBe(text));
  it('nothing is nothing', () => expect(changes({ a: [1, { b: null }] }, { a: [1, { b: null }] })).toEqual([]));
});

describe('figures', () => {
  const overview: Overview = {
    version: '1', node_name: 'a', now_ms: 0, started_at_ms: 0, uptime_ms: 60_000, readiness: 'ready', connections_open: 10, connections_max: 100, heroes_in_memory: 1,
    focus_sessions_open: 1, energy_hour_me: 0, tasks_completed: 0, modules_assembled: 0,
    simulation: { shards: 1, tick_hz: 20, ticks: 1, tick_overruns: 0, tick_p99_ms: 3, tick_budget_ms: 50 },
    journal: { queue_events: 0, queue_events_max: 100, queue_bytes: 0, oldest_age_ms: 0, read_only: false },
    ack_p99_ms: 10, cpu_permille: 100, cores: 2, memory_bytes: 10, memory_limit_bytes: 100, redis_up: null,
  };
  const levelOf = (name: string, change: Partial<Overview>) => [...healthOf({ ...overview, ...change }), ...playOf({ ...overview, ...change })].find((figure) => figure.name.startsWith(name))?.level;

  it('a calm server is fine', () => expect(healthOf(overview).map((figure) => figure.level).filter((level) => level !== 'good' && level !== 'plain')).toEqual([]));
  it.each([
    ['CPU', { cpu_permille: 1_300 }, 'watch'],
    ['CPU', { cpu_permille: 1_600 }, 'bad'],
    ['Memory', { memory_bytes: 85 }, 'bad'],
    ['Acknowledgement', { ack_p99_ms: 1_000 }, 'bad'],
    ['Acknowledgement', { ack_p99_ms: null }, 'plain'],
    ['Journal', { journal: { ...overview.journal, queue_events: 95 } }, 'bad'],
    ['Journal', { journal: { ...overview.journal, read_only: true } }, 'bad'],
    ['Tick', { simulation: { ...overview.simulation, tick_p99_ms: 51 } }, 'bad'],
    ['Server', { readiness: 'draining' }, 'watch'],
    ['Redis', { redis_up: false }, 'watch'],
    ['Players', { connections_open: 90 }, 'bad'],
  ])('%s %o is %s', (name, change, level) => expect(levelOf(name, change)).toBe(level));
  it('no whole is no share', () => expect(permille(5, 0)).toBe(0));
});

describe('small decisions', () => {
  it('the way back leads to what was last in force, else to the version before', () => {
    const version = (number: number, since: number | null) => ({ version: number, uploaded_at_ms: null, uploaded_by: null, in_force_since_ms: since });
    expect(previousOf({ in_force: 3, versions: [version(3, 30), version(2, 10), version(1, 20)] })?.version).toBe(1);
    expect(previousOf({ in_force: 3, versions: [version(4, null), version(3, 30), version(2, null), version(1, null)] })?.version).toBe(2);
    expect(previousOf({ in_force: 1, versions: [version(2, null), version(1, 1)] })).toBeNull();
  });
  it('an outage is a window that is over', () => {
    expect(windowProblem(null, 5, 10)).toContain('first');
    expect(windowProblem(5, 5, 10)).toContain('end after');
    expect(windowProblem(5, 11, 10)).toContain('over');
    expect(windowProblem(5, 10, 10)).toBeNull();
  });
  it('a budget of nothing is full with the first cent', () => {
    expect(budgetShare(250, 500)).toBe(500);
    expect(budgetShare(0.01, 0)).toBe(1_000);
    expect(budgetShare(0, 0)).toBe(0);
  });
  it('settings that are damaged fall back one by one', () => {
    expect(mergeSettings({ theme: 'light', zone: 7 })).toEqual({ theme: 'light', zone: 'local' });
    expect(mergeSettings('?')).toEqual({ theme: 'system', zone: 'local' });
  });
  it('lines are found in a text', () => {
    expect(lineRange('ab\ncd\ne', 2)).toEqual([3, 5]);
    expect(lineRange('ab\ncd\ne', 3)).toEqual([6, 7]);
    expect(lineRange('ab', 9)).toEqual([2, 2]);
    expect(utf8Bytes('ä–')).toBe(5);
  });
  it('a QR code has its quiet zone and its corner', () => {
    const { path, cells } = qrPath('otpauth://totp/Dopamine%20Hero:mira?secret=JBSWY3DPEHPK3PXP');
    expect(cells).toBeGreaterThan(29);
    expect(path.startsWith('M4 4h1v1h-1z')).toBe(true);
  });
});
