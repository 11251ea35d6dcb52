import { describe, expect, it } from 'vitest';
import { median, ServerClock } from '../clock';
import type { Session } from '../protocol.gen';
import * as timer from '../timer';
import { FakeWorld, fixture } from './fake';

const EPOCH = FakeWorld.EPOCH;

describe('the clock', () => {
  it('takes the median of its samples', () => {
    expect(median([5, 1, 3])).toBe(3);
    expect(median([4, 2])).toBe(3);
    expect(median([])).toBe(0);
  });

  it('follows the server and not the wall clock', () => {
    const world = new FakeWorld();
    const clock = new ServerClock(world);
    clock.addSample(EPOCH + 60_000, 990, 1_010);
    expect(clock.nowMs()).toBe(EPOCH + 60_000);
    world.now += 500;
    expect(clock.nowMs()).toBe(EPOCH + 60_500);
  });

  it('is not impressed by one slow answer', () => {
    const world = new FakeWorld();
    const clock = new ServerClock(world);
    for (let index = 0; index < 5; index += 1) clock.addSample(EPOCH + 1_000, 995, 1_005);
    clock.addSample(EPOCH + 1_000, 1_000, 9_000);
    expect(clock.nowMs()).toBe(EPOCH + 1_000);
  });

  it('knows the time before it is connected when it knew it before', () => {
    const world = new FakeWorld();
    const before = new ServerClock(world);
    before.addSample(world.wallMs() + 7_000, 1_000, 1_000);
    const after = new ServerClock(world, before.skewMs);
    expect(after.nowMs()).toBe(world.wallMs() + 7_000);
  });

  it('makes up for a sleep in which the monotonic clock stood still', () => {
    const world = new FakeWorld();
    const clock = new ServerClock(world);
    clock.addSample(EPOCH + 1_000, 1_000, 1_000);
    world.slept = 3_600_000;
    expect(clock.nowMs()).toBe(EPOCH + 3_601_000);
  });
});

describe('the timer', () => {
  const base = (): Session => {
    const { client } = fixture();
    client.send({ start_focus: { mode: { countdown: { planned_minutes: 5 } }, category: 'none' } });
    const session = client.state.view.hero.focus.session!;
    return { ...session, anchor_ms: EPOCH, started_at_ms: EPOCH, focus_ms_at_anchor: 60_000 };
  };

  it('grows while running and stands while not', () => {
    expect(timer.focusMs(base(), EPOCH + 5_000)).toBe(65_000);
    expect(timer.leftMs(base(), EPOCH + 5_000)).toBe(235_000);
    for (const state of ['paused', 'interrupted', 'overtime', 'resting', 'waiting'] as const) {
      expect(timer.focusMs({ ...base(), state }, EPOCH + 5_000)).toBe(60_000);
    }
  });

  it('never runs backwards before its anchor', () => {
    expect(timer.focusMs(base(), EPOCH - 3_000)).toBe(60_000);
  });

  it('waits for an answer at the end, also before the server says so', () => {
    expect(timer.waitsForAnswer(base(), EPOCH + 239_999)).toBe(false);
    expect(timer.waitsForAnswer(base(), EPOCH + 240_000)).toBe(true);
    expect(timer.overtimeMs(base(), EPOCH + 250_000)).toBe(10_000);
    const over = { ...base(), state: 'overtime' as const, focus_ms_at_anchor: 300_000, anchor_ms: EPOCH };
    expect(timer.overtimeMs(over, EPOCH + 4_000)).toBe(4_000);
    expect(timer.keptGoing({ ...base(), planned_ms: null })).toBe(true);
  });

  it('grows energy over a boundary only while the server can say otherwise', () => {
    const progress = { ...base().progress, at_ms: EPOCH, energy_me: 100, energy_rate_ue_per_s: 40_000, next_boundary_ms: EPOCH + 10_000 };
    expect(timer.energyMe(progress, EPOCH + 5_000, true)).toBe(300);
    expect(timer.energyMe(progress, EPOCH + 5_000, false)).toBe(300);
    expect(timer.energyMe(progress, EPOCH + 20_000, true)).toBe(900);
    expect(timer.energyMe(progress, EPOCH + 20_000, false)).toBe(500);
    expect(timer.energyMe(progress, EPOCH - 60_000, true)).toBe(100);
  });

  it('computes jobs and breaks from their anchors', () => {
    const job = {
      job_id: 1, module_id: 'gen_sine', anchor_ms: EPOCH, done_ms_at_anchor: 20_000, work_ms: 60_000, speed_permille: 4_000,
      done_at_ms: EPOCH + 10_000, finish_md: 0,
    };
    expect(timer.jobShare(job, EPOCH + 5_000)).toBeCloseTo(40 / 60);
    expect(timer.jobShare(job, EPOCH + 99_000)).toBe(1);
    expect(timer.jobLeftMs(job, EPOCH + 4_000)).toBe(6_000);
    expect(timer.breakLeftMs({ started_at_ms: EPOCH, planned_ms: 300_000 }, EPOCH + 1_000)).toBe(299_000);
  });
});
