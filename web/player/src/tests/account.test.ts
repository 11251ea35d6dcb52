import { ApiError, type ClaimPreview, type Side } from '@dopamine-hero/sdk';
import { describe, expect, it } from 'vitest';
import { addedLines, waitingWords } from '../account/claim';
import { deviceName } from '../account/device-name';
import { agoWords } from '../account/devices';
import { readLink } from '../account/links';
import { guestUntil, mayOffer } from '../account/offer';
import { middleSquare } from '../account/picture';
import { refusalOf } from '../account/picture-form';
import { problemOf } from '../account/problems';

const sessions = (count: number) => ({ statistics: { sessions: count } }) as Parameters<typeof mayOffer>[1];

describe('an account is offered', () => {
  it.each([
    ['nobody', 0, false],
    ['guest', 0, false],
    ['guest', 1, false],
    ['guest', 2, true],
    ['guest', 90, true],
    ['account', 90, false],
  ] as const)('to %s after %i sessions: %s', (kind, count, expected) => {
    expect(mayOffer({ kind }, sessions(count))).toBe(expected);
  });

  it('with the day until which the guest stays', () => {
    expect(guestUntil(Date.UTC(2026, 10, 26, 12))).toBe('26 December');
  });
});

describe('problems', () => {
  it('stand where they belong', () => {
    expect(problemOf(new ApiError(400, 'weak_password', 'too common'))).toEqual({
      place: 'password', code: 'weak_password', words: 'This password would be guessed too soon.', hint: 'Too common.',
    });
    expect(problemOf(new ApiError(409, 'mail_taken', 'x')).place).toBe('mail');
    expect(problemOf(new ApiError(401, 'wrong_login', 'x')).place).toBe('password');
  });

  it('that nobody foresaw say what the server says', () => {
    expect(problemOf(new ApiError(418, 'teapot', 'it is short and stout'))).toMatchObject({ place: 'form', words: 'That did not work.', hint: 'It is short and stout.' });
  });

  it('of the network are not the fault of what was typed', () => {
    expect(problemOf(new TypeError('fetch failed'))).toMatchObject({ code: 'network', place: 'form' });
  });

  it('about too many tries say when it works again', () => {
    expect(problemOf(new ApiError(429, 'rate', '', 12)).words).toContain('12 seconds');
    expect(problemOf(new ApiError(429, 'rate', '', 600)).words).toContain('10 minutes');
    expect(problemOf(new ApiError(429, 'rate', '', null)).words).toContain('Wait a little');
  });

  it('blame nobody', () => {
    const codes = ['malformed', 'weak_password', 'mail_taken', 'hero_taken', 'wrong_login', 'code', 'session_running', 'rate', 'read_only', 'timeout', 'x'];
    for (const code of codes) {
      const { words } = problemOf(new ApiError(400, code, ''));
      expect(words, code).not.toMatch(/invalid|error|fail|must|illegal|wrong|your fault|!/i);
    }
  });
});

describe('links of mails', () => {
  it.each([
    ['#reset=abc-DEF_1', { kind: 'reset', code: 'abc-DEF_1' }],
    ['#verify=x', { kind: 'verify', code: 'x' }],
    ['#reset=', null],
    ['#reset=a b', null],
    ['#reset=<img>', null],
    ['#other=abc', null],
    ['', null],
    [`#verify=${'x'.repeat(201)}`, null],
  ])('%s', (hash, expected) => {
    expect(readLink(hash)).toEqual(expected);
  });
});

describe('devices', () => {
  it.each([
    ['Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36', 'Chrome on Linux'],
    ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0', 'Edge on Windows'],
    ['Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1', 'Safari on iPhone'],
    ['Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0', 'Firefox on Android'],
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox on Mac'],
    ['curl/8', 'Browser'],
  ])('%s', (agent, expected) => {
    expect(deviceName(agent)).toBe(expected);
  });

  it('were seen some time ago', () => {
    expect(agoWords(0, 60_000)).toBe('just now');
    expect(agoWords(0, 12 * 60_000)).toBe('12 min ago');
    expect(agoWords(0, 3 * 3_600_000)).toBe('3 h ago');
    expect(agoWords(0, 5 * 86_400_000)).toBe('5 days ago');
  });
});

describe('a claim', () => {
  const side: Side = { level: 1, energy_me: 0, dopamine_md: 0, focus_ms: 0, sessions: 0, active_days: 0, streak_days: 0, tasks: 0, modules: 0 };
  const preview: ClaimPreview = { guest: side, account: side, united: side, tasks_added: 0, modules_added: [], refunded_me: 0 };

  it('says what the account gets', () => {
    const guest = { ...side, focus_ms: 600_000, sessions: 1 };
    const full = { ...preview, guest, tasks_added: 2, modules_added: ['gen_sine', 'mul_x'], refunded_me: 12_000 };
    expect(addedLines(full, (id) => id)).toEqual([
      '10 min of focus in 1 session',
      '2 modules: gen_sine, mul_x',
      '2 tasks',
      '12 energy back for what both have',
    ]);
    expect(addedLines({ ...preview, modules_added: ['gen_sine'] }, () => 'Sine')).toEqual(['The module Sine']);
    expect(addedLines(preview, (id) => id)).toEqual(['Nothing that it does not have already']);
  });

  it('waits for what the guest has not saved', () => {
    expect(waitingWords(1)).toContain('1 change of');
    expect(waitingWords(3)).toContain('they wait here');
  });
});

describe('pictures', () => {
  it('keep their middle', () => {
    expect(middleSquare(300, 100)).toEqual({ x: 100, y: 0, side: 100 });
    expect(middleSquare(101, 300)).toEqual({ x: 0, y: 99, side: 101 });
  });

  it('of another kind or size are refused before anything happens', () => {
    expect(refusalOf({ type: 'image/png', size: 1_000 })).toBeNull();
    expect(refusalOf({ type: 'image/svg+xml', size: 1_000 })).toContain('JPEG');
    expect(refusalOf({ type: 'image/jpeg', size: 30 * 1_024 * 1_024 })).toContain('30.0 MB');
  });
});
