import { describe, expect, it } from 'vitest';
import { BACKOFF_MS_MAX, BACKOFF_MS_MIN, backoffMs, delayAfter } from '../backoff';
import { CLOSE } from '../protocol.gen';
import { connect, createTask, durable, FakeApi, fixture, settle } from './fake';

describe('backoff', () => {
  it.each([0, 1, 2, 3, 5, 8, 20])('after %i failures lies between half a second and thirty', (attempt) => {
    for (const random of [0, 0.25, 0.5, 0.999]) {
      const delay = backoffMs(attempt, random);
      expect(delay).toBeGreaterThanOrEqual(BACKOFF_MS_MIN);
      expect(delay).toBeLessThanOrEqual(BACKOFF_MS_MAX);
    }
    expect(backoffMs(attempt, 0)).toBe(BACKOFF_MS_MIN);
  });

  it('grows to its ceiling', () => {
    expect(backoffMs(0, 1)).toBe(1_000);
    expect(backoffMs(1, 1)).toBe(2_000);
    expect(backoffMs(9, 1)).toBe(BACKOFF_MS_MAX);
  });
});

describe('close codes', () => {
  const at = (code: number, attempt = 0, reconnectAfterMs: number | null = null) => delayAfter({ code, attempt, reconnectAfterMs, random: 0.5 });

  it.each([
    [CLOSE.normal, null],
    [CLOSE.going_away, 750],
    [CLOSE.unsupported_data, 30_750],
    [CLOSE.invalid_payload, 30_750],
    [CLOSE.policy, null],
    [CLOSE.too_big, 30_750],
    [CLOSE.internal, 750],
    [CLOSE.restart, 750],
    [CLOSE.overload, 750],
    [CLOSE.unauthenticated, 0],
    [CLOSE.banned, null],
    [CLOSE.moved, 250],
    [CLOSE.rate, 10_750],
    [1006, 750],
    [4999, 750],
  ])('%i is answered after %s ms', (code, expected) => {
    expect(at(code)).toBe(expected);
  });

  it('every code of the server is in the table above', () => {
    expect(Object.values(CLOSE).length).toBe(13);
  });

  it('going_away says when to come back', () => {
    expect(at(CLOSE.restart, 0, 4_200)).toBe(4_200);
    expect(at(CLOSE.going_away, 0, 4_200)).toBe(4_200);
  });

  it('a second refused ticket waits', () => {
    expect(at(CLOSE.unauthenticated, 1)).toBeGreaterThanOrEqual(BACKOFF_MS_MIN);
  });
});

describe('a connection', () => {
  it('tries for ever while the server is down, and makes one guest in the end', async () => {
    const api = new FakeApi();
    api.isDown = true;
    const { world, client } = fixture({ api });
    client.send(createTask('a'));
    await world.pass(120_000);
    expect(client.state.link.state).toBe('waiting');
    expect(world.sockets.length).toBe(0);
    api.isDown = false;
    await world.pass(31_000);
    await connect(world);
    expect(client.state.link.state).toBe('live');
    expect(api.guests).toBe(1);
  });

  it('says that it is offline when the device is', async () => {
    const api = new FakeApi();
    api.isDown = true;
    const { world, client } = fixture({ api });
    world.online = false;
    client.send(createTask('a'));
    await settle();
    expect(client.state.link).toMatchObject({ state: 'waiting', online: false });
  });

  it('tries at once when the page wakes up', async () => {
    const { world, client } = fixture();
    client.send(createTask('a'));
    const socket = await connect(world);
    socket.drop(1006);
    expect(client.state.link.state).toBe('waiting');
    for (const wake of world.wakes) wake();
    await settle();
    expect(world.sockets.length).toBe(2);
  });

  it('notices a dead socket that says nothing', async () => {
    const { world, client } = fixture();
    client.send(createTask('a'));
    const socket = await connect(world);
    await world.pass(11_500);
    expect(socket.isClosed).toBe(true);
    expect(world.sockets.length).toBeGreaterThan(1);
  });

  it('keeps a socket that answers', async () => {
    const { world, client } = fixture();
    client.send(createTask('a'));
    const socket = await connect(world);
    for (let step = 0; step < 40; step += 1) {
      await world.pass(1_000);
      socket.say({ status: { read_only: false, other_devices: 0, catalogue_version: 1, notice: null } });
    }
    expect(world.sockets.length).toBe(1);
    const pings = socket.sent.filter((message) => 'ping' in message).length;
    expect(pings).toBeGreaterThanOrEqual(5);
    expect(pings).toBeLessThanOrEqual(9);
  });

  it('gives a socket up that hangs while it closes', async () => {
    const { world, client } = fixture();
    client.send(createTask('a'));
    const socket = await connect(world);
    socket.readyState = 2;
    await world.pass(30_000);
    expect(socket.isClosed).toBe(true);
    expect(world.sockets.length).toBeGreaterThan(1);
  });

  it('sends nothing on a socket that is closing, and all of it on the next', async () => {
    const { world, client } = fixture();
    client.send(createTask('a'));
    const socket = await connect(world);
    socket.say(durable(1, 1));
    socket.readyState = 2;
    const before = socket.sent.length;
    client.send(createTask('b'));
    await world.pass(1_000);
    expect(socket.sent.length).toBe(before);
    socket.drop(4001);
    await world.pass(10);
    const next = await connect(world);
    expect(next.commands.map(({ cmd_seq }) => cmd_seq)).toContain(1);
  });

  it('takes a new ticket for each socket', async () => {
    const { world, client, api } = fixture();
    client.send(createTask('a'));
    (await connect(world)).drop(4001);
    await world.pass(10);
    const second = await connect(world);
    expect(second.hello?.ticket).toBe('ticket-2');
    expect(api.guests).toBe(1);
  });

  it('stops when the token is revoked, and keeps what waits', async () => {
    const { world, client, api } = fixture();
    client.send(createTask('a'));
    const socket = await connect(world);
    api.isRevoked = true;
    socket.drop(4001);
    await world.pass(100);
    expect(client.state.link.state).toBe('signed_out');
    expect(client.state.unconfirmed).toBe(1);
    expect(client.state.view.hero.tasks.length).toBe(1);
  });

  it('rests while the account waits to be erased, looks again when the page wakes, and goes on when it stays', async () => {
    const { world, client, api } = fixture();
    client.send(createTask('a'));
    const socket = await connect(world);
    api.isErasing = true;
    socket.drop(4001);
    await world.pass(600_000);
    expect(client.state.link.state).toBe('erasing');
    expect([world.sockets.length, client.state.unconfirmed]).toEqual([1, 1]);
    for (const wake of world.wakes) wake();
    await world.pass(10);
    expect(client.state.link.state).toBe('erasing');
    api.isErasing = false;
    client.reconnectNow();
    await connect(world);
    expect(client.state.link.state).toBe('live');
    expect(client.state.unconfirmed).toBe(1);
  });

  it.each([
    [4003, 'banned'],
    [1000, 'stopped'],
  ])('does not come back by itself after %i', async (code, state) => {
    const { world, client } = fixture();
    client.send(createTask('a'));
    (await connect(world)).drop(code);
    await world.pass(600_000);
    expect(client.state.link.state).toBe(state);
    expect(world.sockets.length).toBe(1);
  });

  it('comes back after a 1000 when the player says so', async () => {
    const { world, client } = fixture();
    client.send(createTask('a'));
    (await connect(world)).drop(1000);
    client.reconnectNow();
    await connect(world);
    expect(client.state.link.state).toBe('live');
  });

  it('waits as long as a leaving server asks', async () => {
    const { world, client } = fixture();
    client.send(createTask('a'));
    const socket = await connect(world);
    socket.say({ going_away: { reconnect_after_ms: 3_000 } });
    socket.drop(1012);
    await world.pass(2_999);
    expect(world.sockets.length).toBe(1);
    await world.pass(2);
    expect(world.sockets.length).toBe(2);
  });

  it('ignores frames that it does not understand', async () => {
    const { world, client } = fixture();
    client.send(createTask('a'));
    const socket = await connect(world);
    socket.say({ brand_new: { thing: 1 } } as never);
    socket.say([1, 2, 3] as never);
    expect(client.state.link.state).toBe('live');
  });
});
