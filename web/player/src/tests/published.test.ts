import { describe, expect, it } from 'vitest';
import { type Catalogue, keepLoading } from '../catalogue';
import { lookAgainMs, shownNotice } from '../parts/notice';

const of = (version: number): Catalogue => ({ version, modules: [], achievements: [], cosmetics: [], rack: { starters: [] } });

/** Answers in order; time is a list of delays. */
async function loading(version: number, answers: (Catalogue | Error)[]) {
  const taken: number[] = [];
  const delays: number[] = [];
  let stopped = false;
  const stop = keepLoading(version, {
    load: async () => {
      const answer = answers.shift();
      if (answer === undefined) throw new Error('asked too often');
      if (answer instanceof Error) throw answer;
      return answer;
    },
    take: (catalogue) => taken.push(catalogue.version),
    after: (delayMs, run) => {
      delays.push(delayMs);
      queueMicrotask(() => {
        if (!stopped && answers.length > 0) run();
      });
      return () => {
        stopped = true;
      };
    },
  });
  for (let turn = 0; turn < 100; turn += 1) await Promise.resolve();
  return { taken, delays, stop };
}

describe('another catalogue', () => {
  it('is loaded once when it comes at once', async () => {
    expect(await loading(2, [of(2)])).toMatchObject({ taken: [2], delays: [] });
  });

  it('is asked for until the server that answers has it too', async () => {
    expect(await loading(2, [of(1), of(1), of(2)])).toMatchObject({ taken: [1, 1, 2], delays: [5_000, 10_000] });
  });

  it('is asked for more and more rarely while nobody answers', async () => {
    const away = Array.from({ length: 6 }, () => new Error('away'));
    const { taken, delays } = await loading(2, [...away, of(2)]);
    expect(taken).toEqual([2]);
    expect(delays).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
  });

  it('is not taken by a page that wants it no more', async () => {
    const taken: number[] = [];
    const stop = keepLoading(2, { load: async () => of(2), take: (one) => taken.push(one.version), after: () => () => {} });
    stop();
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
    expect(taken).toEqual([]);
  });
});

describe('a notice', () => {
  const notice = { text: 'We restart at noon.', until_ms: 1_000 };

  it('shows until it is over', () => {
    expect(shownNotice(notice, null, 999)).toEqual(notice);
    expect(shownNotice(notice, null, 1_000)).toBeNull();
    expect(shownNotice({ ...notice, until_ms: null }, null, 9e15)).not.toBeNull();
    expect(shownNotice(null, null, 0)).toBeNull();
  });

  it('stays away once it was waved away, and another one comes', () => {
    expect(shownNotice(notice, notice.text, 0)).toBeNull();
    expect(shownNotice({ ...notice, text: 'We are back.' }, notice.text, 0)).not.toBeNull();
  });

  it('is looked at again when it ends, and at least every hour', () => {
    expect(lookAgainMs(notice, 400)).toBe(600);
    expect(lookAgainMs(notice, 5_000)).toBe(0);
    expect(lookAgainMs({ ...notice, until_ms: 1e13 }, 0)).toBe(3_600_000);
    expect(lookAgainMs({ ...notice, until_ms: null }, 0)).toBeNull();
  });
});
