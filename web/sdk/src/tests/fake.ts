/** A scripted other side: time that only moves when told, sockets that do what the test says. */

import { decode, encode } from '@msgpack/msgpack';
import type { Api, Session } from '../api';
import { Auth } from '../auth';
import { DopamineHero, type ClientOptions } from '../client';
import type { SocketLike, Surroundings } from '../connection';
import { ApiError, Unauthorized } from '../http';
import { blankHero } from '../optimistic';
import type { ClientMessage, Command, Events, Hero, ServerMessage, Welcome } from '../protocol.gen';
import { MemoryStorage } from '../storage';

export class FakeSocket implements SocketLike {
  binaryType = '';
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  onerror: (() => void) | null = null;
  readonly sent: ClientMessage[] = [];
  isClosed = false;
  readyState = 1;

  send(data: Uint8Array): void {
    this.sent.push(decode(data) as ClientMessage);
  }

  close(): void {
    this.isClosed = true;
    this.readyState = 3;
  }

  /** The server speaks. */
  say(message: ServerMessage): void {
    const bytes = encode(message);
    this.onmessage?.({ data: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) });
  }

  /** The line goes down. */
  drop(code = 1006): void {
    this.onclose?.({ code });
  }

  get commands(): { cmd_seq: number; body: Command }[] {
    return this.sent.flatMap((message) => ('command' in message ? [message.command] : []));
  }

  get hello() {
    const first = this.sent.find((message) => 'hello' in message);
    return first !== undefined && 'hello' in first ? first.hello : null;
  }
}

interface Timer {
  at: number;
  run: () => void;
}

export class FakeWorld implements Surroundings {
  now = 1_000;
  /** Wall time runs with the monotonic clock, unless the machine sleeps. */
  slept = 0;
  online = true;
  chance = 0.5;
  readonly sockets: FakeSocket[] = [];
  readonly wakes = new Set<() => void>();
  #timers = new Set<Timer>();

  static readonly EPOCH = 1_700_000_000_000;

  monotonicMs(): number {
    return this.now;
  }
  wallMs(): number {
    return FakeWorld.EPOCH + this.now + this.slept;
  }
  random(): number {
    return this.chance;
  }
  after(delayMs: number, run: () => void): () => void {
    const timer = { at: this.now + delayMs, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }
  openSocket(): SocketLike {
    const socket = new FakeSocket();
    this.sockets.push(socket);
    return socket;
  }
  isOnline(): boolean {
    return this.online;
  }
  onWake(run: () => void): () => void {
    this.wakes.add(run);
    return () => this.wakes.delete(run);
  }

  /** Time passes; everything due happens in order. */
  async pass(ms: number): Promise<void> {
    const end = this.now + ms;
    for (;;) {
      await settle();
      const due = [...this.#timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.now = Math.max(this.now, due.at);
      this.#timers.delete(due);
      due.run();
    }
    this.now = end;
    await settle();
  }

  get socket(): FakeSocket {
    const last = this.sockets.at(-1);
    if (last === undefined) throw new Error('no socket was opened');
    return last;
  }
}

/** Lets promises that wait for nothing run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 60; turn += 1) await Promise.resolve();
}

export class FakeApi implements Api {
  guests = 0;
  tickets = 0;
  isDown = false;
  isRevoked = false;
  isErasing = false;

  async createGuest() {
    if (this.isDown) throw new TypeError('network');
    this.guests += 1;
    return { hero_id: 'hero-1', device_token: 'token-1' };
  }
  async ticket() {
    if (this.isDown) throw new TypeError('network');
    if (this.isRevoked) throw new Unauthorized('ticket');
    if (this.isErasing) throw new ApiError(403, 'erasing', '');
    this.tickets += 1;
    return `ticket-${this.tickets}`;
  }
  async catalogue() {
    return {};
  }
  async register(): Promise<Session> {
    throw new Unauthorized();
  }
  async login(): Promise<Session> {
    throw new Unauthorized();
  }
  async refresh(): Promise<Session> {
    throw new Unauthorized();
  }
  async logout(): Promise<void> {}
}

export interface Fixture {
  world: FakeWorld;
  api: FakeApi;
  storage: MemoryStorage;
  client: DopamineHero;
  auth: Auth;
}

type Parts = Partial<ClientOptions> & { world?: FakeWorld; api?: Api; auth?: Auth; storage?: MemoryStorage };

export function fixture(parts: Parts = {}): Fixture {
  const world = parts.world ?? new FakeWorld();
  const api = parts.api ?? new FakeApi();
  const storage = parts.storage ?? new MemoryStorage();
  const auth = parts.auth ?? new Auth({ api, storage, wallMs: () => world.wallMs(), exclusively: (_, run) => run(), channel: null });
  const client = new DopamineHero({
    identity: { heroId: () => auth.state.heroId, ticket: () => auth.ticket() },
    socketUrl: 'ws://test/v1/ws',
    streamId: 7,
    orphanStreams: [],
    newStream: () => 8,
    name: 'test',
    timeZone: 'Europe/Berlin',
    ...parts,
    storage,
    surroundings: world,
  });
  return { world, api: api as FakeApi, storage, client, auth };
}

export function hero(change: Partial<Hero> = {}): Hero {
  return { ...blankHero(FakeWorld.EPOCH, 'Europe/Berlin'), hero_id: 'hero-1', ...change };
}

export function welcome(change: Partial<Welcome> = {}): ServerMessage {
  return {
    welcome: {
      connection_id: 'c1',
      seq: 1,
      cmd_seq_applied: 0,
      state: { snapshot: hero() },
      catalogue_version: 1,
      server_now_ms: FakeWorld.EPOCH + 1_000,
      tick_hz: 10,
      read_only: false,
      other_devices: 0,
      ...change,
    },
  };
}

export function events(seq: number, patch: Events['patch'], energyMe = 0): ServerMessage {
  const event = { seq, at_ms: FakeWorld.EPOCH, kind: 'test', cause: null, energy_me: energyMe, dopamine_md: 0, subject: null };
  return { events: { events: [event], patch } };
}

export function durable(cmdSeq: number, seq: number, createdId: number | null = null): ServerMessage {
  return { durable: { cmd_seq: cmdSeq, seq, created_id: createdId } };
}

export function rejected(cmdSeq: number, code: string, retryAfterMs: number | null = null): ServerMessage {
  return { rejected: { cmd_seq: cmdSeq, code, hint: `because ${code}`, retry_after_ms: retryAfterMs } };
}

/** Opens the newest socket and answers its hello. */
export async function connect(world: FakeWorld, change: Partial<Welcome> = {}): Promise<FakeSocket> {
  await settle();
  const { socket } = world;
  socket.onopen?.();
  socket.say(welcome(change));
  await settle();
  return socket;
}

export function createTask(title: string, parentId: number | null = null): Command {
  return { create_task: { title, category: 'none', priority: 'medium', estimate_minutes: 0, parent_id: parentId } };
}
