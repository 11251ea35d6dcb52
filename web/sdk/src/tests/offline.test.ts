import { describe, expect, it } from 'vitest';
import type { Command } from '../protocol.gen';
import { connect, durable, FakeApi, fixture, type Fixture } from './fake';

const START: Command = { start_focus: { mode: { countdown: { planned_minutes: 25 } }, category: 'learning' } };

/** The client acts while no server can be reached; then the server is back. */
async function offline(act: (parts: Fixture) => Promise<void>) {
  const api = new FakeApi();
  api.isDown = true;
  const parts = fixture({ api });
  await act(parts);
  api.isDown = false;
  while (parts.world.sockets.length === 0) await parts.world.pass(100);
  const socket = await connect(parts.world, { server_now_ms: parts.client.clock.nowMs() });
  for (let answered = 0; answered < socket.commands.length; answered += 1) socket.say(durable(answered + 1, 2 + answered));
  return { ...parts, bodies: socket.commands.map((command) => command.body) };
}

describe('a session without a server', () => {
  it('that is over is reported as it was', async () => {
    const { bodies } = await offline(async ({ world, client }) => {
      client.send(START);
      await world.pass(600_000);
      client.send('end_focus');
      await world.pass(100_000);
    });
    expect(bodies).toEqual([
      { report_offline_focus: { started_at_ms: 1_700_000_001_000, duration_ms: 600_000, category: 'learning', task_id: null } },
    ]);
  });

  it('that still runs is reported so far and goes on with what is left', async () => {
    const { bodies, client } = await offline(async ({ world, client: one }) => {
      one.send(START);
      one.send({ describe_focus: { intention: 'chapter 4' } });
      await world.pass(600_000);
    });
    expect(bodies.length).toBe(3);
    const [report, start, describe_] = bodies as [Command, Command, Command];
    expect(report).toMatchObject({ report_offline_focus: { category: 'learning' } });
    const duration = typeof report === 'object' && 'report_offline_focus' in report ? report.report_offline_focus.duration_ms : 0;
    expect(duration).toBeGreaterThanOrEqual(600_000);
    expect(duration).toBeLessThanOrEqual(631_000);
    expect(start).toMatchObject({ start_focus: { mode: { countdown: { planned_minutes: 15 } } } });
    expect(describe_).toEqual({ describe_focus: { task_id: null, intention: 'chapter 4' } });
    expect(client.state.refusals).toEqual([]);
  });

  it('does not count its pauses', async () => {
    const { bodies } = await offline(async ({ world, client }) => {
      client.send(START);
      await world.pass(120_000);
      client.send('pause_focus');
      await world.pass(300_000);
      client.send('resume_focus');
      await world.pass(60_000);
      client.send('end_focus');
    });
    expect(bodies).toMatchObject([{ report_offline_focus: { duration_ms: 180_000 } }]);
  });

  it('under a minute just starts', async () => {
    const { bodies } = await offline(async ({ world, client }) => {
      client.send(START);
      await world.pass(10_000);
    });
    expect(bodies).toEqual([START]);
  });

  it('that was taken back leaves nothing', async () => {
    const { bodies } = await offline(async ({ world, client }) => {
      client.send(START);
      await world.pass(5_000);
      client.send('cancel_focus');
      client.send({ rename_hero: { name: 'Ada' } });
      await world.pass(120_000);
    });
    expect(bodies).toEqual([{ rename_hero: { name: 'Ada' } }]);
  });

  it('counts no more than its plan when nobody answered the end', async () => {
    const { bodies } = await offline(async ({ world, client }) => {
      client.send(START);
      await world.pass(3_600_000);
    });
    expect(bodies).toMatchObject([{ report_offline_focus: { duration_ms: 1_500_000 } }]);
  });
});
