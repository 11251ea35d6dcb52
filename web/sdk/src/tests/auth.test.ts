import { describe, expect, it } from 'vitest';
import { Account } from '../account';
import { httpApi } from '../api';
import { Auth, type Channel } from '../auth';
import { ApiError, sender, Unauthorized } from '../http';
import { KEY, MemoryStorage } from '../storage';
import { connect, createTask, FakeWorld, fixture, hero, settle } from './fake';
import { CookieJar, LoginServer } from './login-server';

const ADA = { mail: 'ada@example.org', password: 'a long enough one', device_name: 'test' };
const ACCESS_MS = 600_000;

/** A browser: one storage, one jar, one set of locks and channels for all of its tabs. */
class FakeBrowser {
  readonly world = new FakeWorld();
  readonly storage = new MemoryStorage();
  readonly jar = new CookieJar();
  readonly tabs: { auth: Auth; hear: ((message: unknown) => void) | null }[] = [];
  readonly #queues = new Map<string, Promise<unknown>>();

  constructor(readonly server: LoginServer) {}

  open(withChannel = true): { auth: Auth; account: Account; api: ReturnType<typeof httpApi> } {
    const send = sender('', this.server.fetchOf(this.jar));
    const api = httpApi(send);
    let hear: ((message: unknown) => void) | null = null;
    const channel: Channel = {
      post: (message) => {
        for (const tab of this.tabs) if (tab.auth !== auth) tab.hear?.(structuredClone(message));
      },
      listen: (run) => (hear = run),
    };
    const auth: Auth = new Auth({
      api,
      storage: this.storage,
      wallMs: () => this.world.wallMs(),
      exclusively: (name, run) => this.#exclusively(name, run),
      channel: withChannel ? channel : null,
    });
    this.tabs.push({ auth, hear });
    return { auth, account: new Account(send, auth), api };
  }

  async #exclusively<T>(name: string, run: () => Promise<T>): Promise<T> {
    const before = this.#queues.get(name) ?? Promise.resolve();
    const mine = before.then(run, run);
    this.#queues.set(name, mine.catch(() => undefined));
    return mine;
  }
}

function start() {
  const server: LoginServer = new LoginServer(() => browser.world.wallMs());
  const browser: FakeBrowser = new FakeBrowser(server);
  return { server, browser, ...browser.open() };
}

const kept = (storage: MemoryStorage) => storage.keys().map((key) => storage.get(key)).join('\n');

describe('a guest', () => {
  it('is made once, and only when somebody needs it', async () => {
    const { auth, server } = start();
    expect(auth.state.kind).toBe('nobody');
    expect(server.asked).toEqual([]);
    const [a, b] = await Promise.all([auth.ticket(), auth.ticket()]);
    expect(a).toEqual(b);
    expect(auth.state).toMatchObject({ kind: 'guest', heroId: 'hero-1' });
    expect(server.asked.filter((one) => one.path === '/v1/guests').length).toBe(1);
  });

  it('that becomes an account keeps its hero, and its token goes once the cookie has proved itself', async () => {
    const { auth, browser, server } = start();
    await auth.ticket();
    expect(kept(browser.storage)).toContain('dh_hero-1');
    expect(await auth.register(ADA)).toEqual({ kept: true });
    expect(server.asked.find((one) => one.path === '/v1/auth/register')?.bearer).toBe('dh_hero-1');
    expect(auth.state).toMatchObject({ kind: 'account', heroId: 'hero-1', guest: null });
    expect(browser.storage.get(KEY.device)).toBeNull();
    expect(await auth.ticket()).toEqual({ ticket: 'ticket of hero-1', heroId: 'hero-1' });
  });

  it('that becomes an account in mid-flight repeats what was not answered, under the same stream and number', async () => {
    const { auth, browser } = start();
    const { world, storage } = browser;
    const { client } = fixture({ auth, storage, world });
    client.send(createTask('in flight'));
    const mine = { state: { snapshot: hero({ hero_id: 'hero-1' }) } };
    const before = await connect(world, mine);
    client.send(createTask('behind it'));
    await auth.register(ADA);
    client.reconnect();
    const after = await connect(world, mine);
    expect(after.hello?.stream_id).toBe(before.hello?.stream_id);
    expect(after.hello?.ticket).toBe('ticket of hero-1');
    expect(after.commands).toEqual(before.commands);
    expect(client.state.unconfirmed).toBe(2);
    after.say({ duplicate: { cmd_seq: 1, seq: 2, created_id: 5 } });
    expect(after.commands.map((one) => one.cmd_seq)).toEqual([1, 2]);
  });

  it('keeps its token where the browser refuses cookies, and goes on with it', async () => {
    const { auth, browser } = start();
    await auth.ticket();
    browser.jar.isClosed = true;
    expect(await auth.register(ADA)).toEqual({ kept: false });
    expect(browser.storage.get(KEY.device)).not.toBeNull();
    await browser.world.pass(2 * ACCESS_MS);
    expect(await auth.ticket()).toEqual({ ticket: 'ticket of hero-1', heroId: 'hero-1' });
    expect(auth.state.expired).toBe(false);
  });

  it('keeps its token until then, when the network goes right after registering', async () => {
    const { auth, browser, server, api } = start();
    await auth.ticket();
    const register = api.register.bind(api);
    api.register = async (...given) => {
      const session = await register(...given);
      server.isDown = true;
      return session;
    };
    await auth.register(ADA);
    expect(browser.storage.get(KEY.device)).not.toBeNull();
    server.isDown = false;
    await browser.world.pass(2 * ACCESS_MS);
    await auth.ticket();
    expect(browser.storage.get(KEY.device)).toBeNull();
  });

  it('of another hero waits on the device while an account plays, and plays again after the logout', async () => {
    const { auth, server } = start();
    await auth.ticket();
    server.addAccount(ADA.mail, ADA.password, 'hero-of-ada');
    await auth.login(ADA);
    expect(auth.state).toMatchObject({ kind: 'account', heroId: 'hero-of-ada', guest: { hero_id: 'hero-1' } });
    await auth.logout();
    expect(auth.state).toMatchObject({ kind: 'guest', heroId: 'hero-1', guest: null });
    expect((await auth.ticket()).heroId).toBe('hero-1');
  });
});

describe('an account', () => {
  it('leaves no token in storage', async () => {
    const { auth, browser } = start();
    await auth.register(ADA);
    await auth.ticket();
    expect(kept(browser.storage)).not.toMatch(/access-|refresh-|dh_/);
    expect(kept(browser.storage)).not.toContain('ada');
  });

  it('comes back by its cookie alone, which is sent to our own origin only', async () => {
    const { auth, browser, server } = start();
    await auth.register(ADA);
    const reloaded = browser.open().auth;
    expect(reloaded.state).toMatchObject({ kind: 'account', heroId: auth.state.heroId, expired: false });
    expect((await reloaded.ticket()).heroId).toBe(auth.state.heroId);
    const refreshes = server.asked.filter((one) => one.path === '/v1/auth/refresh');
    expect(refreshes.every((one) => one.credentials === 'same-origin' && one.bearer === null)).toBe(true);
  });

  it('uses one access token until shortly before its end, and then rotates', async () => {
    const { auth, browser, server } = start();
    await auth.register(ADA);
    const before = server.rotations;
    await auth.ticket();
    await browser.world.pass(ACCESS_MS - 60_000);
    await auth.ticket();
    expect(server.rotations).toBe(before);
    await browser.world.pass(31_000);
    await auth.ticket();
    expect(server.rotations).toBe(before + 1);
    expect(server.reuses).toBe(0);
  });

  it('is renewed when the server does not know the access token any more', async () => {
    const { auth, server } = start();
    await auth.register(ADA);
    await auth.ticket();
    const before = server.rotations;
    server.forgetAccess();
    expect((await auth.ticket()).heroId).toBe(auth.state.heroId);
    expect(server.rotations).toBe(before + 1);
  });

  it('a wrong password is an answer of its own, and ends nothing', async () => {
    const { auth, server } = start();
    await auth.ticket();
    server.addAccount(ADA.mail, ADA.password, 'hero-of-ada');
    const error = await auth.login({ ...ADA, password: 'not this one' }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).not.toBeInstanceOf(Unauthorized);
    expect(error).toMatchObject({ code: 'wrong_login', hint: 'because wrong_login' });
    expect(auth.state).toMatchObject({ kind: 'guest', expired: false });
  });
});

describe('tabs of one browser', () => {
  it('never rotate at once, and share what one of them got', async () => {
    const { auth, browser, server } = start();
    await auth.register(ADA);
    await browser.world.pass(2 * ACCESS_MS);
    const before = server.rotations;
    const tabs = [auth, browser.open().auth, browser.open().auth];
    const tickets = await Promise.all(tabs.flatMap((tab) => [tab.ticket(), tab.ticket()]));
    expect(new Set(tickets.map((one) => one.heroId)).size).toBe(1);
    expect(server.rotations).toBe(before + 1);
    expect(server.reuses).toBe(0);
  });

  it('that cannot hear each other still rotate one after the other', async () => {
    const { server, browser, auth } = start();
    await auth.register(ADA);
    const tabs = [browser.open(false).auth, browser.open(false).auth];
    server.held = [];
    const tickets = Promise.all(tabs.map((tab) => tab.ticket()));
    for (let turn = 0; turn < 6; turn += 1) {
      await settle();
      for (const go of server.held.splice(0)) go();
    }
    await tickets;
    expect(server.mostRotationsAtOnce).toBe(1);
    expect(server.reuses).toBe(0);
  });

  it('all hear of a logout', async () => {
    const { auth, browser } = start();
    await auth.register(ADA);
    const other = browser.open().auth;
    await other.ticket();
    let told = 0;
    other.subscribe(() => (told += 1));
    await auth.logout();
    other.reread();
    expect(told).toBe(1);
    expect(other.state.kind).toBe('nobody');
    expect((await other.ticket()).heroId).not.toBe('hero-1');
  });
});

describe('without a network', () => {
  it('a failed refresh is no logout: it is tried again, and the clock runs on', async () => {
    const { auth, browser, server } = start();
    await auth.register(ADA);
    const { world, client } = fixture({ auth, storage: browser.storage, world: browser.world });
    client.start();
    const socket = await connect(world, { state: { snapshot: hero({ hero_id: auth.state.heroId ?? '' }) } });
    client.send({ start_focus: { mode: { countdown: { planned_minutes: 25 } }, category: 'none' } });
    server.isDown = true;
    socket.drop();
    // Longer than the access token lives, so that the refresh itself is what fails.
    await world.pass(2 * ACCESS_MS);
    await expect(auth.bearer()).rejects.not.toBeInstanceOf(ApiError);
    expect(client.state.link.state).toBe('waiting');
    expect(auth.state.expired).toBe(false);
    expect(client.state.view.hero.focus.session?.state).toBe('running');
    server.isDown = false;
    for (const wake of world.wakes) wake();
    await connect(world, { state: { snapshot: hero({ hero_id: auth.state.heroId ?? '' }) } });
    expect(client.state.link.state).toBe('live');
  });
});

describe('a login that is over', () => {
  it('stops the line and keeps what is on the screen and what waits', async () => {
    const { auth, browser, server } = start();
    await auth.register(ADA);
    const { world, client } = fixture({ auth, storage: browser.storage, world: browser.world });
    client.start();
    const mine = { state: { snapshot: hero({ hero_id: auth.state.heroId ?? '' }) } };
    const socket = await connect(world, mine);
    server.revokeAll();
    socket.drop(4001);
    await world.pass(100);
    client.send(createTask('kept'));
    expect(client.state.link.state).toBe('signed_out');
    expect(auth.state).toMatchObject({ kind: 'account', expired: true });
    expect(client.state.view.hero.tasks.map((task) => task.title)).toEqual(['kept']);

    await auth.login(ADA);
    expect(auth.state.expired).toBe(false);
    client.reconnectNow();
    const again = await connect(world, mine);
    expect(again.commands.map((one) => one.body)).toEqual([createTask('kept')]);
  });

  it('is over too where only a guest token was left, and that one was taken back', async () => {
    const { auth, browser, server } = start();
    await auth.ticket();
    browser.jar.isClosed = true;
    await auth.register(ADA);
    server.takeBack('dh_hero-1');
    await browser.world.pass(2 * ACCESS_MS);
    await expect(auth.ticket()).rejects.toBeInstanceOf(Unauthorized);
    expect(auth.state).toMatchObject({ kind: 'account', expired: true });
    expect(kept(browser.storage)).not.toContain('dh_');
  });

  it('asks the server once, and not with every call', async () => {
    const { auth, account, browser, server } = start();
    await auth.register(ADA);
    server.revokeAll();
    await expect(account.me()).rejects.toBeInstanceOf(Unauthorized);
    expect(server.asked.filter((one) => one.path === '/v1/me').length).toBe(1);
    expect(auth.state.expired).toBe(true);
    expect(browser.storage.get(KEY.account)).not.toBeNull();
  });
});

describe('another hero', () => {
  it('gets nothing of what waits for the first one', async () => {
    const { auth, browser, server } = start();
    const { world, storage } = browser;
    const guest = fixture({ auth, storage, world });
    guest.client.send(createTask('of the guest'));
    await connect(world, { state: { snapshot: hero({ hero_id: 'hero-1' }) } });
    server.addAccount(ADA.mail, ADA.password, 'hero-of-ada');
    await auth.login(ADA);
    // The old client has not been told yet, and its line breaks.
    world.socket.drop();
    await world.pass(40_000);
    expect(guest.client.state.link.state).toBe('waiting');
    guest.client.stop();

    const account = fixture({ auth, storage, world, streamId: 9, orphanStreams: [7] });
    expect(account.client.state.unconfirmed).toBe(0);
    account.client.start();
    const socket = await connect(world, { state: { snapshot: hero({ hero_id: 'hero-of-ada' }) } });
    await world.pass(1_000);
    expect(socket.commands).toEqual([]);

    await auth.logout();
    account.client.stop();
    const back = fixture({ auth, storage, world });
    expect(back.client.state.unconfirmed).toBe(1);
  });

  it('is not made for whoever has just logged out', async () => {
    const { auth, browser, server } = start();
    const { world, storage } = browser;
    await auth.register(ADA);
    const { client } = fixture({ auth, storage, world });
    client.start();
    const socket = await connect(world, { state: { snapshot: hero({ hero_id: auth.state.heroId ?? '' }) } });
    await auth.logout();
    socket.drop(4001);
    await world.pass(60_000);
    expect(server.asked.filter((one) => one.path === '/v1/guests')).toEqual([]);
    expect(storage.get(KEY.device)).toBeNull();
  });

  it('does not inherit the picture of the first one', async () => {
    const { auth, browser } = start();
    const { world, storage } = browser;
    const { client } = fixture({ auth, storage, world });
    client.send(createTask('a'));
    await connect(world, { state: { snapshot: hero({ hero_id: 'hero-1' }) } });
    client.save();
    expect(storage.get(KEY.hero)).toContain('hero-1');
    await auth.register(ADA);
    await auth.logout();
    client.save();
    expect(storage.get(KEY.hero)).toBeNull();
  });
});
