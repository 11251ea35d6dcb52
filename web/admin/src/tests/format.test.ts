import { describe, expect, it } from 'vitest';
import {
  bytes, change, clock, countdown, dollars, duration, exact, fromField, many, millis, moment, parseAmount, percent, perMinute, relative, short, toField, words,
} from '../format';

describe('amounts', () => {
  it.each([
    [0, '0.000'],
    [5, '0.005'],
    [-5, '−0.005'],
    [12_500, '12.500'],
    [-1_234_567, '−1,234.567'],
  ])('%i thousandths are %s', (thousandths, text) => expect(exact(thousandths)).toBe(text));

  it('a change has its sign, and none is nothing', () => {
    expect(change(1)).toBe('+0.001');
    expect(change(-1_000)).toBe('−1.000');
    expect(change(0)).toBe('');
  });

  it.each([
    ['12.5', 12_500],
    ['+12,5', 12_500],
    [' 0.001 ', 1],
    ['-3', -3_000],
    ['−3', -3_000],
    ['-0', 0],
    ['1.2345', null],
    ['1,234.5', null],
    ['', null],
    ['12e3', null],
    ['9999999999999', null],
    ['--1', null],
  ])('"%s" is %s thousandths', (text, value) => expect(parseAmount(text)).toBe(value));

  it('what is shown can be typed again', () => {
    for (const value of [1, 999, 12_500, -42, -1_000]) expect(parseAmount(change(value))).toBe(value);
  });

  it('short ones are for a glance', () => {
    expect(short(8_123_456)).toBe('8,123.5');
    expect(short(81_234_560)).toBe('81,235');
  });
});

describe('moments', () => {
  const at = Date.UTC(2026, 10, 27, 9, 5, 12);

  it('are exact in UTC', () => {
    expect(moment(at, 'utc')).toBe('2026-11-27 09:05:12');
    expect(clock(at, 'utc')).toBe('09:05:12');
  });

  it('a local field and a moment are the same minute', () => expect(fromField(toField(at))).toBe(Date.UTC(2026, 10, 27, 9, 5)));

  it('an empty or broken field is no moment', () => {
    expect(fromField('')).toBeNull();
    expect(fromField('yesterday')).toBeNull();
  });

  it.each([
    [at - 3_000, 'now'],
    [at - 180_000, '3 min ago'],
    [at + 7_200_000, 'in 2 h'],
  ])('%i is %s', (ms, text) => expect(relative(ms, at)).toBe(text));
});

describe('measures', () => {
  it.each([
    [0, '0 s'],
    [59_400, '59 s'],
    [3_600_000, '1 h'],
    [4_800_000, '1 h 20 min'],
    [86_400_000 * 3 + 4 * 3_600_000, '3 d 4 h'],
  ])('%i ms last %s', (ms, text) => expect(duration(ms)).toBe(text));

  it.each([
    [null, '–'],
    [0, '0 ms'],
    [0.25, '0.250 ms'],
    [4.21, '4.2 ms'],
    [250, '250 ms'],
    [1_204, '1.20 s'],
    [61_000, '1 min'],
  ])('%s ms are %s', (ms, text) => expect(millis(ms)).toBe(text));

  it('bytes, shares and money have their unit', () => {
    expect(bytes(512)).toBe('512 B');
    expect(bytes(1_610_612_736)).toBe('1.5 GiB');
    expect(percent(124)).toBe('12.4 %');
    expect(dollars(500)).toBe('$500');
    expect(dollars(-12.256)).toBe('−$12.26');
    expect(perMinute(50_000)).toBe('3');
  });

  it('what ends is rounded up, and never below nothing', () => {
    expect(countdown(119_001)).toBe('2:00');
    expect(countdown(-1)).toBe('0:00');
  });

  it('one is not many', () => {
    expect(many(1, 'hero', 'heroes')).toBe('1 hero');
    expect(many(1_234, 'hero', 'heroes')).toBe('1,234 heroes');
    expect(words('session_ended')).toBe('session ended');
  });
});
