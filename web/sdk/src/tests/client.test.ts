import { describe, expect, it } from 'vitest';
import { MemoryStorage } from '../storage';
import { connect, createTask, durable, events, fixture, hero, rejected } from './fake';

const START = { start_focus: { mode: { countdown: { planned_minutes: 5 } }, category: 'none' } } as const;

describe('the first tap', () => {
  it('starts the clock before anybody answers', async () => {
    const { world, client, api } = fixture();
    client.start();
    await world.pass(5_000);
    expect(api.guests).toBe(0);
    client.send(START);
    const session = client.state.view.hero.focus.session;
    expect(session?.state).toBe('running');
    expect(session?.planned_ms).toBe(300_000);
    expect(client.state.view.focusPending).toBe(true);
    expect(client.state.unconfirmed).toBe(1);
  });

  it('makes a guest, says hello and sends the start under number 1', async () => {
    const { world, client, api } = fixture();
    client.send(START);
    const socket = await connect(world);
    expect(api.guests).toBe(1);
    expect(socket.hello).toMatchObject({ ticket: 'ticket-1', stream_id: 7, last_seq: null, time_zone: 'Europe/Berlin' });
    expect(socket.commands).toEqual([{ cmd_seq: 1, body: START }]);
  });

  it("gives way to the server's session without a flicker", async () => {
    const { world, client } = fixture();
    client.send(START);
    const socket = await connect(world);
    const focus = { ...client.state.view.hero.focus };
    const session = { ...focus.session!, session_id: 1, started_at_ms: client.clock.nowMs() };
    socket.say(events(2, { focus: { session, on_break: null, to_confirm: null } }));
    expect(client.state.view.hero.focus.session?.session_id).toBe(1);
    socket.say(durable(1, 2, 1));
    expect(client.state.view.hero.focus.session?.session_id).toBe(1);
    expect(client.state.unconfirmed).toBe(0);
    expect(client.state.view.focusPending).toBe(false);
  });

  it('draws a durable wish until its event has arrived', async () => {
    const { world, client } = fixture();
    client.send(START);
    const socket = await connect(world);
    socket.say(durable(1, 2, 1));
    expect(client.state.unconfirmed).toBe(0);
    expect(client.state.view.hero.focus.session).not.toBeNull();
    socket.say(events(2, { focus: { session: null, on_break: null, to_confirm: null } }));
    expect(client.state.view.hero.focus.session).toBeNull();
  });
});

describe('commands', () => {
  it('go one by one, in order', async () => {
    const { world, client } = fixture();
    client.send(createTask('a'));
    client.send(createTask('b'));
    const socket = await connect(world);
    expect(socket.commands.length).toBe(1);
    socket.say(durable(1, 2, 10));
    expect(socket.commands.map((one) => one.cmd_seq)).toEqual([1, 2]);
  });

  it('are repeated under the same number when the answer is lost', async () => {
    const { world, client } = fixture();
    client.send(createTask('a'));
    const first = await connect(world);
    expect(first.commands.length).toBe(1);
    first.drop();
    await world.pass(1_000);
    const second = await connect(world, { cmd_seq_applied: 1, seq: 2 });
    expect(second.commands).toEqual([{ cmd_seq: 1, body: createTask('a') }]);
    second.say({ duplicate: { cmd_seq: 1, seq: 2, created_id: 5 } });
    expect(client.state.unconfirmed).toBe(0);
    expect(client.state.refusals).toEqual([]);
  });

  it('survive a reload in mid-flight', async () => {
    const storage = new MemoryStorage();
    const before = fixture({ storage });
    before.client.send(createTask('kept'));
    await connect(before.world);
    const after = fixture({ storage });
    expect(after.client.state.unconfirmed).toBe(1);
    expect(after.client.state.view.hero.tasks.map((task) => task.title)).toEqual(['kept']);
    after.client.start();
    const socket = await connect(after.world, { cmd_seq_applied: 0 });
    expect(socket.commands).toEqual([{ cmd_seq: 1, body: createTask('kept') }]);
  });

  it('roll back with their reason when refused, and the next takes the number', async () => {
    const { world, client } = fixture();
    client.send({ assemble_module: { module_id: 'gen_aurora' } });
    client.send(createTask('next'));
    const socket = await connect(world);
    socket.say(rejected(1, 'level_too_low'));
    expect(client.state.refusals[0]).toMatchObject({ code: 'level_too_low', hint: 'because level_too_low' });
    expect(socket.commands.at(-1)).toEqual({ cmd_seq: 1, body: createTask('next') });
    client.dismissRefusal(client.state.refusals[0]!.key);
    expect(client.state.refusals).toEqual([]);
  });

  it('take with them what needed them', async () => {
    const { world, client } = fixture();
    client.send(createTask('parent'));
    const parent = client.state.view.hero.tasks[0]!.task_id;
    expect(parent).toBeLessThan(0);
    client.send(createTask('child', parent));
    const socket = await connect(world);
    socket.say(rejected(1, 'limit_reached'));
    expect(client.state.unconfirmed).toBe(0);
    expect(client.state.view.hero.tasks).toEqual([]);
  });

  it('learn the real id of what an earlier one made', async () => {
    const { world, client } = fixture();
    client.send(createTask('parent'));
    const parent = client.state.view.hero.tasks[0]!.task_id;
    client.send(createTask('child', parent));
    client.send({ complete_task: { task_id: parent } });
    const socket = await connect(world);
    socket.say(durable(1, 2, 41));
    expect(socket.commands.at(-1)).toEqual({ cmd_seq: 2, body: createTask('child', 41) });
    socket.say(durable(2, 3, 42));
    expect(socket.commands.at(-1)).toEqual({ cmd_seq: 3, body: { complete_task: { task_id: 41 } } });
  });

  it.each(['busy', 'rate', 'read_only', 'internal', 'quarantined'])('wait and are sent again on %s', async (code) => {
    const { world, client } = fixture();
    client.send(createTask('a'));
    const socket = await connect(world);
    socket.say(rejected(1, code, 700));
    expect(client.state.refusals).toEqual([]);
    expect(client.state.unconfirmed).toBe(1);
    await world.pass(699);
    expect(socket.commands.length).toBe(1);
    await world.pass(2);
    expect(socket.commands.map((one) => one.cmd_seq)).toEqual([1, 1]);
  });

  it('are numbered from what the server says, whatever the device remembers', async () => {
    const { world, client } = fixture();
    client.send(createTask('a'));
    const first = await connect(world);
    first.say(rejected(1, 'out_of_order'));
    const second = await connect(world, { cmd_seq_applied: 4 });
    expect(second).not.toBe(first);
    expect(second.commands[0]?.cmd_seq).toBe(1);
    second.say(rejected(1, 'stream_forgotten'));
    const third = await connect(world, { cmd_seq_applied: 0 });
    expect(third.hello?.stream_id).toBe(8);
    expect(third.commands).toEqual([{ cmd_seq: 1, body: createTask('a') }]);
  });

  it('stay below the limit of the server when many have waited', async () => {
    const { world, client } = fixture();
    for (let index = 0; index < 40; index += 1) client.send(createTask(`task ${index}`));
    const socket = await connect(world);
    for (let tick = 0; tick < 10; tick += 1) {
      socket.say(durable(socket.commands.length, socket.commands.length + 1));
    }
    const burst = socket.commands.length;
    expect(burst).toBeLessThanOrEqual(12);
    for (let tick = 0; tick < 20; tick += 1) {
      await world.pass(50);
      const sent = socket.commands.length;
      if (client.state.unconfirmed > 40 - sent) socket.say(durable(sent, sent + 1));
    }
    expect(socket.commands.length - burst).toBeLessThanOrEqual(9);
  });

  it('that the server cannot read are dropped after the second close', async () => {
    const { world, client } = fixture();
    client.send(createTask('poison'));
    for (let round = 0; round < 2; round += 1) {
      const socket = await connect(world);
      expect(socket.commands.length).toBe(1);
      socket.drop(1007);
      await world.pass(70_000);
    }
    expect(client.state.unconfirmed).toBe(0);
    expect(client.state.refusals[0]?.code).toBe('malformed');
  });

  it('have a limit', () => {
    const { client } = fixture();
    for (let index = 0; index < 501; index += 1) client.send(createTask('x'));
    expect(client.state.unconfirmed).toBe(500);
    expect(client.state.refusals[0]?.code).toBe('queue_full');
  });
});

describe('state', () => {
  it('is known at once after a reload, and says that it is old', async () => {
    const storage = new MemoryStorage();
    const before = fixture({ storage });
    before.client.send(createTask('a'));
    await connect(before.world, { state: { snapshot: hero({ wallet: { ...hero().wallet, energy_me: 5_000 } }) }, seq: 9 });
    await before.world.pass(300);
    const after = fixture({ storage });
    expect(after.client.state.known).toBe(true);
    expect(after.client.state.synced).toBe(false);
    expect(after.client.state.view.hero.wallet.energy_me).toBe(5_000);
    after.client.start();
    const socket = await connect(after.world, { state: { events: { events: [], patch: {} } }, seq: 9 });
    expect(socket.hello?.last_seq).toBe(9);
    expect(after.client.state.synced).toBe(true);
    expect(after.client.state.view.hero.wallet.energy_me).toBe(5_000);
  });

  it('takes only what is missing when it resumes', async () => {
    const { world, client } = fixture();
    client.send(createTask('a'));
    const first = await connect(world, { seq: 3 });
    first.say(events(4, { wallet: { ...hero().wallet, energy_me: 100 } }));
    first.drop();
    await world.pass(1_000);
    const wallet = { ...hero().wallet, energy_me: 250 };
    const second = await connect(world, { seq: 6, state: { events: { events: [], patch: { wallet } } } });
    expect(second.hello?.last_seq).toBe(4);
    expect(client.state.view.hero.wallet.energy_me).toBe(250);
  });

  it('asks for everything when a line is missing', async () => {
    const { world, client } = fixture();
    client.send(createTask('a'));
    const first = await connect(world, { seq: 3 });
    first.say(events(5, { wallet: { ...hero().wallet, energy_me: 100 } }));
    const second = await connect(world);
    expect(second.hello?.last_seq).toBeNull();
    expect(client.state.view.hero.wallet.energy_me).toBe(0);
  });

  it('skips a repeated line', async () => {
    const { world, client } = fixture();
    client.send(createTask('a'));
    const socket = await connect(world, { seq: 3 });
    socket.say(events(3, { wallet: { ...hero().wallet, energy_me: 999 } }));
    expect(client.state.view.hero.wallet.energy_me).toBe(0);
  });

  it('replaces tasks one by one', async () => {
    const { world, client } = fixture();
    client.send({ rename_hero: { name: 'x' } });
    const socket = await connect(world, { seq: 1 });
    const task = (task_id: number, title: string) => ({
      task_id, parent_id: null, title, category: 'none' as const, priority: 'medium' as const, estimate_minutes: 0,
      due_on: null, recurrence: null, occurrence_on: null, created_at_ms: 0, done_at_ms: null, focus_ms: 0, reward_me: 0,
    });
    socket.say(events(2, { tasks: [task(1, 'a'), task(2, 'b')] }));
    socket.say(events(3, { tasks: [task(2, 'B'), task(3, 'c')], tasks_removed: [1] }));
    expect(client.state.view.hero.tasks.map((one) => one.title)).toEqual(['B', 'c']);
  });

  it('collects what was earned since the session began', async () => {
    const { world, client } = fixture();
    client.send(START);
    const socket = await connect(world, { seq: 1 });
    const session = { ...client.state.view.hero.focus.session!, session_id: 3 };
    socket.say(events(2, { focus: { session, on_break: null, to_confirm: null } }));
    socket.say(events(3, {}, 3_000));
    socket.say(events(4, { focus: { session: null, on_break: null, to_confirm: null } }, 12_000));
    expect(client.state.earned.map((event) => event.energy_me)).toEqual([3_000, 12_000]);
    socket.say(events(5, { focus: { session: { ...session, session_id: 4 }, on_break: null, to_confirm: null } }));
    expect(client.state.earned).toEqual([]);
  });

  it('draws progress only for the session it is of', async () => {
    const { world, client } = fixture();
    client.send(START);
    const socket = await connect(world, { seq: 1 });
    const session = { ...client.state.view.hero.focus.session!, session_id: 3 };
    socket.say(events(2, { focus: { session, on_break: null, to_confirm: null } }));
    socket.say({ progress: { ...session.progress, session_id: 2, energy_me: 7 } });
    expect(client.state.view.hero.focus.session?.progress.energy_me).toBe(0);
    socket.say({ progress: { ...session.progress, session_id: 3, energy_me: 9 } });
    expect(client.state.view.hero.focus.session?.progress.energy_me).toBe(9);
  });

  it('says when nothing can be saved, and goes on when it can', async () => {
    const { world, client } = fixture();
    client.send(createTask('a'));
    const socket = await connect(world);
    socket.say(rejected(1, 'read_only'));
    expect(client.state.readOnly).toBe(true);
    socket.say({ status: { read_only: false, other_devices: 2, catalogue_version: 1, notice: null } });
    expect(client.state.readOnly).toBe(false);
    expect(client.state.otherDevices).toBe(2);
    expect(socket.commands.length).toBe(2);
  });

  it('follows what the operators publish, and forgets it with the socket', async () => {
    const { world, client } = fixture();
    client.send(createTask('a'));
    const socket = await connect(world);
    expect(client.state).toMatchObject({ catalogueVersion: 1, notice: null });
    const notice = { text: 'We restart at noon.', until_ms: null };
    socket.say({ status: { read_only: false, other_devices: 0, catalogue_version: 2, notice } });
    expect(client.state).toMatchObject({ catalogueVersion: 2, notice });
    socket.drop(1001);
    await world.pass(10_000);
    // Taken back while nobody listened: the next welcome comes without it.
    await connect(world);
    expect(client.state).toMatchObject({ catalogueVersion: 1, notice: null });
  });

  it('draws the hero under other numbers although nothing happened to it', async () => {
    const { world, client } = fixture();
    client.send(createTask('a'));
    const socket = await connect(world);
    const wallet = { ...client.state.view.hero.wallet, level: 7 };
    socket.say({ events: { events: [], patch: { wallet } } });
    expect(client.state.view.hero.wallet.level).toBe(7);
  });

  it('forgets the device on request only', async () => {
    const { world, client, storage } = fixture();
    client.send(createTask('a'));
    await connect(world);
    client.forgetDevice();
    expect(storage.keys().filter((key) => !key.includes('streams'))).toEqual([]);
  });
});
