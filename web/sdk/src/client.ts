/**
 * The client: last known hero, commands on their way, one connection. Whoever draws subscribes and reads `state`.
 *
 *   send ─▶ queue (written down) ─▶ connection ─▶ server
 *   state ◀─ hero + wishes laid over it ◀─ events, durable, rejected
 */

import { Connection, type Link, type Surroundings } from './connection';
import { ServerClock } from './clock';
import { findOfflineStretch } from './offline';
import { blankHero, project, type View } from './optimistic';
import { applyPatch } from './patch';
import type { Command, CommandResult, Event, Events, Hero, Notice, Progress, Rejected, ServerMessage, Welcome } from './protocol.gen';
import { REJECT } from './protocol.gen';
import { CommandQueue, type Entry } from './queue';
import { isRecord, KEY, type KeyValue, readJson } from './storage';

export interface Refusal {
  key: number;
  body: Command;
  code: string;
  hint: string;
}

export interface ClientState {
  link: Link;
  /** Nothing until a server, now or in an earlier life of the page, has told us of a hero. */
  known: boolean;
  /** The server has confirmed what is drawn since this page was loaded. */
  synced: boolean;
  view: View;
  /** Commands that are not durable yet. */
  unconfirmed: number;
  /** Latest first, until somebody dismisses it. */
  refusals: readonly Refusal[];
  readOnly: boolean;
  otherDevices: number;
  /** May change while the socket is open. */
  catalogueVersion: number | null;
  /** What the operators tell every player. */
  notice: Notice | null;
  /** Everything that was earned since the last start of a session, for its end. */
  earned: readonly Event[];
}

/** Whose hero it is, and what opens a socket for it. */
export interface Identity {
  /** Nothing while this device is nobody yet. */
  heroId(): string | null;
  /** Makes a guest if there is nobody. Throws `Unauthorized` if the login is over. */
  ticket(): Promise<{ ticket: string; heroId: string }>;
}

export interface ClientOptions {
  identity: Identity;
  socketUrl: string;
  storage: KeyValue;
  streamId: number;
  /** Streams of closed tabs that this one may take commands from. */
  orphanStreams: readonly number[];
  surroundings: Surroundings;
  /** Draws and keeps a new stream for this tab. */
  newStream(): number;
  name: string;
  timeZone: string;
  /** Sends what waits and keeps no picture of the hero; for one that is not played here. */
  isBackground?: boolean;
}

interface Kept {
  hero: Hero;
  seq: number;
  skew_ms: number;
}

function isKept(value: unknown): value is Kept {
  return isRecord(value) && isRecord(value['hero']) && typeof value['seq'] === 'number';
}

/** These say: later, not never. The entry stays and is repeated. */
const RETRIED: readonly string[] = [REJECT.rate, REJECT.busy, REJECT.read_only, REJECT.quarantined, REJECT.internal];
const RETRY_AFTER_MS = 2_000;
/** Under the server's 10 a second, so that a long queue is not answered with strikes. */
const COMMAND_SPACING_MS = 125;
const COMMAND_BURST = 10;
const SAVE_AFTER_MS = 250;
/** A command during which the server twice closed because of a bad frame is not sent a third time. */
const BAD_FRAMES_MAX = 2;
const REFUSALS_KEPT = 5;
const EARNED_KEPT = 100;

export class DopamineHero {
  readonly clock: ServerClock;
  readonly #options: ClientOptions;
  readonly #queue: CommandQueue;
  readonly #connection: Connection;
  readonly #listeners = new Set<() => void>();
  readonly #eventListeners = new Set<(events: readonly Event[]) => void>();
  #hero: Hero;
  #seq: number | null = null;
  /** One client, one hero: whoever changes heroes opens another client. */
  #heroId: string | null;
  #streamId: number;
  #applied = 0;
  #inFlight: number | null = null;
  #badFrames = 0;
  #tokens = COMMAND_BURST;
  #tokensAtMs = 0;
  #cancelPump: (() => void) | null = null;
  #cancelSave: (() => void) | null = null;
  #state: ClientState;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#streamId = options.streamId;
    this.#heroId = options.identity.heroId();
    const kept = readJson(options.storage, KEY.hero, isKept);
    this.clock = new ServerClock(options.surroundings, kept?.skew_ms ?? 0);
    this.#queue = new CommandQueue(options.storage, options.streamId, this.#heroId);
    for (const orphan of options.orphanStreams) this.#queue.adopt(orphan);
    const usable = kept !== null && kept.hero.hero_id === this.#heroId && options.isBackground !== true ? kept : null;
    this.#hero = usable?.hero ?? blankHero(this.clock.nowMs(), options.timeZone);
    this.#seq = usable?.seq ?? null;
    this.#state = {
      link: { state: 'idle' },
      known: usable !== null,
      synced: false,
      view: project(this.#hero, this.#queue.entries),
      unconfirmed: this.#queue.unconfirmed,
      refusals: [],
      readOnly: false,
      otherDevices: 0,
      catalogueVersion: null,
      notice: null,
      earned: [],
    };
    this.#connection = this.#makeConnection();
  }

  #makeConnection(): Connection {
    return new Connection({
      socketUrl: this.#options.socketUrl,
      clock: this.clock,
      surroundings: this.#options.surroundings,
      ticket: () => this.#ticket(),
      hello: () => ({
        stream_id: this.#streamId,
        last_seq: this.#seq,
        client: this.#options.name,
        time_zone: this.#options.timeZone,
      }),
      onWelcome: (welcome) => this.#welcomed(welcome),
      onMessage: (message) => this.#received(message),
      onLink: (link) => this.#linked(link),
      onBadFrame: () => this.#badFrame(),
    });
  }

  get state(): ClientState {
    return this.#state;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Live events only: what happened while nobody looked is not celebrated afterwards. */
  onEvents(listener: (events: readonly Event[]) => void): () => void {
    this.#eventListeners.add(listener);
    return () => this.#eventListeners.delete(listener);
  }

  /** A device that has been here before connects at once; a new one waits for the first wish. */
  start(): void {
    if (this.#heroId !== null || this.#queue.unconfirmed > 0) this.#connection.start();
  }

  /** For good. Nobody is told any more: whoever stops it draws something else. */
  stop(): void {
    this.#listeners.clear();
    this.#cancelPump?.();
    this.save();
    this.#cancelSave?.();
    this.#connection.stop();
  }

  get heroId(): string | null {
    return this.#heroId;
  }

  get streamId(): number {
    return this.#streamId;
  }

  /** Another socket, under what this device shows now. */
  reconnect(): void {
    this.#connection.reconnect();
  }

  /** Takes the whole hero anew; after something happened to it elsewhere than in its own stream of events. */
  reload(): void {
    this.#seq = null;
    this.#connection.reconnect();
  }

  /** Waits until nothing is unconfirmed, for at most so long; says how much still is. */
  async saved(withinMs: number): Promise<number> {
    if (this.#state.unconfirmed === 0) return 0;
    await new Promise<void>((done) => {
      const finish = () => {
        cancel();
        unsubscribe();
        done();
      };
      const cancel = this.#options.surroundings.after(withinMs, finish);
      const unsubscribe = this.subscribe(() => {
        if (this.#state.unconfirmed === 0) finish();
      });
    });
    return this.#state.unconfirmed;
  }

  reconnectNow(): void {
    this.#connection.tryNow();
  }

  /** Takes a wish. It is drawn at once, written down, and sent when it can be. */
  send(body: Command, options: { quiet?: boolean } = {}): void {
    const entry = this.#queue.push(body, this.clock.nowMs(), options.quiet ?? false);
    if (entry === null) {
      this.#refuse([], { code: 'queue_full', hint: 'Too much is waiting to be saved. Connect once, then go on.' });
      return;
    }
    this.#publish({});
    this.#connection.start();
    this.#pump();
  }

  dismissRefusal(key: number): void {
    this.#publish({ refusals: this.#state.refusals.filter((refusal) => refusal.key !== key) });
  }

  /** Writes the last known state down. */
  save(): void {
    this.#cancelSave?.();
    this.#cancelSave = null;
    if (!this.#state.known || this.#seq === null || this.#options.isBackground === true) return;
    // After a logout, or in a tab that has not heard of it yet: this hero is no longer played here.
    if (this.#options.identity.heroId() !== this.#hero.hero_id) return;
    const other = readJson(this.#options.storage, KEY.hero, isKept);
    const isNewer = other !== null && other.hero.hero_id === this.#hero.hero_id && other.seq > this.#seq;
    if (isNewer) return;
    const kept: Kept = { hero: this.#hero, seq: this.#seq, skew_ms: this.clock.skewMs };
    this.#options.storage.set(KEY.hero, JSON.stringify(kept));
  }

  /** Forgets hero and token of a guest; the next start makes a new one. */
  forgetDevice(): void {
    this.#connection.stop();
    for (const key of [KEY.device, KEY.hero]) this.#options.storage.remove(key);
    this.dropUnsaved();
  }

  /** Lets go of what is not saved; only ever on the player's word. */
  dropUnsaved(): void {
    this.#options.storage.remove(KEY.queue(this.#streamId));
  }

  async #ticket(): Promise<string> {
    const { identity } = this.#options;
    // Somebody else plays here now, or nobody, and a client for that is on its way. Asking all the same would make a guest
    // for whoever has just logged out.
    const isOther = (heroId: string | null) => this.#heroId !== null && this.#heroId !== heroId;
    if (isOther(identity.heroId())) throw new Error('this hero is no longer played here');
    const { ticket, heroId } = await identity.ticket();
    if (isOther(heroId)) throw new Error('the ticket is for another hero');
    this.#heroId = heroId;
    this.#queue.belongTo(heroId);
    return ticket;
  }

  #welcomed(welcome: Welcome): void {
    this.#applied = welcome.cmd_seq_applied;
    this.#inFlight = null;
    if ('snapshot' in welcome.state) this.#hero = welcome.state.snapshot;
    else this.#hero = applyPatch(this.#hero, welcome.state.events.patch);
    this.#seq = welcome.seq;
    this.#queue.settle(welcome.seq);
    const stretch = findOfflineStretch(this.#queue.entries, this.clock.nowMs());
    if (stretch !== null) this.#queue.replace(stretch.keys, stretch.replacement);
    this.#publish({
      known: true,
      synced: true,
      readOnly: welcome.read_only,
      otherDevices: welcome.other_devices,
      catalogueVersion: welcome.catalogue_version,
      // If there is one, it follows.
      notice: null,
    });
    this.#saveSoon();
    this.#pump();
  }

  #received(message: ServerMessage): void {
    if ('durable' in message) this.#confirmed(message.durable);
    else if ('duplicate' in message) this.#confirmed(message.duplicate);
    else if ('rejected' in message) this.#rejected(message.rejected);
    else if ('events' in message) this.#happened(message.events);
    else if ('progress' in message) this.#progressed(message.progress);
    else if ('status' in message) {
      const { read_only, other_devices, catalogue_version, notice } = message.status;
      this.#publish({ readOnly: read_only, otherDevices: other_devices, catalogueVersion: catalogue_version, notice });
      if (!read_only) this.#pump();
    }
  }

  #happened({ events, patch }: Events): void {
    const first = events[0]?.seq;
    const last = events.at(-1)?.seq;
    if (first !== undefined && this.#seq !== null && first > this.#seq + 1) {
      // Something is missing: take the whole hero again.
      this.#seq = null;
      return this.#connection.reconnect();
    }
    if (last !== undefined && this.#seq !== null && last <= this.#seq) return;
    const hadSession = this.#hero.focus.session?.session_id ?? null;
    this.#hero = applyPatch(this.#hero, patch);
    const session = this.#hero.focus.session?.session_id ?? null;
    if (last !== undefined) this.#seq = last;
    this.#queue.settle(this.#seq ?? 0);
    const before = session !== null && session !== hadSession ? [] : this.#state.earned;
    const gains = events.filter((event) => event.energy_me > 0 || event.dopamine_md > 0);
    this.#publish({ earned: [...before, ...gains].slice(-EARNED_KEPT) });
    this.#saveSoon();
    for (const listener of this.#eventListeners) listener(events);
  }

  #progressed(progress: Progress): void {
    const session = this.#hero.focus.session;
    if (session === null || session.session_id !== progress.session_id) return;
    this.#hero = { ...this.#hero, focus: { ...this.#hero.focus, session: { ...session, progress } } };
    this.#publish({});
  }

  #confirmed(result: CommandResult): void {
    this.#applied = Math.max(this.#applied, result.cmd_seq);
    this.#inFlight = null;
    this.#badFrames = 0;
    this.#queue.confirm(result.cmd_seq, result.seq, result.created_id);
    if (this.#seq !== null) this.#queue.settle(this.#seq);
    this.#publish({});
    this.#pump();
  }

  #rejected(rejected: Rejected): void {
    const head = this.#queue.head;
    if (rejected.cmd_seq === null || head === null || head.cmd_seq !== rejected.cmd_seq) return;
    this.#inFlight = null;
    if (rejected.code === REJECT.out_of_order) return this.#connection.reconnect();
    if (rejected.code === REJECT.stream_forgotten) {
      this.#streamId = this.#options.newStream();
      this.#queue.moveTo(this.#streamId);
      return this.#connection.reconnect();
    }
    if (RETRIED.includes(rejected.code)) {
      if (rejected.code === REJECT.read_only) this.#publish({ readOnly: true });
      return this.#pumpAfter(rejected.retry_after_ms ?? RETRY_AFTER_MS);
    }
    this.#refuse(this.#queue.drop(head.key), rejected);
    this.#pump();
  }

  #refuse(dropped: readonly Entry[], why: { code: string; hint: string }): void {
    const loud = dropped.filter((entry) => !entry.quiet);
    const fresh = loud.map(({ key, body }): Refusal => ({ key, body, code: why.code, hint: why.hint }));
    if (dropped.length === 0) fresh.push({ key: -1, body: 'pause_focus', code: why.code, hint: why.hint });
    this.#publish({ refusals: [...fresh, ...this.#state.refusals].slice(0, REFUSALS_KEPT) });
  }

  #badFrame(): void {
    const head = this.#queue.head;
    if (this.#inFlight === null || head === null) return;
    this.#badFrames += 1;
    if (this.#badFrames < BAD_FRAMES_MAX) return;
    this.#badFrames = 0;
    this.#refuse(this.#queue.drop(head.key), { code: REJECT.malformed, hint: 'The server could not read this.' });
  }

  #linked(link: Link): void {
    if (link.state !== 'live') this.#inFlight = null;
    this.#publish({ link });
  }

  /** Sends the oldest unconfirmed command if none is under way. */
  #pump(): void {
    const head = this.#queue.head;
    if (head === null || this.#inFlight !== null || this.#connection.link.state !== 'live') return;
    if (!this.#takeToken()) return this.#pumpAfter(COMMAND_SPACING_MS);
    // A number at or below the mark was applied: the same number again brings its stored answer.
    const cmdSeq = head.cmd_seq !== null && head.cmd_seq <= this.#applied ? head.cmd_seq : this.#applied + 1;
    if (cmdSeq !== head.cmd_seq) this.#queue.markSent(head.key, cmdSeq);
    if (this.#connection.send({ command: { cmd_seq: cmdSeq, body: head.body } })) this.#inFlight = cmdSeq;
  }

  #pumpAfter(delayMs: number): void {
    this.#cancelPump?.();
    this.#cancelPump = this.#options.surroundings.after(delayMs, () => {
      this.#cancelPump = null;
      this.#pump();
    });
  }

  #takeToken(): boolean {
    const now = this.#options.surroundings.monotonicMs();
    this.#tokens = Math.min(COMMAND_BURST, this.#tokens + (now - this.#tokensAtMs) / COMMAND_SPACING_MS);
    this.#tokensAtMs = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  #saveSoon(): void {
    this.#cancelSave ??= this.#options.surroundings.after(SAVE_AFTER_MS, () => this.save());
  }

  #publish(change: Partial<ClientState>): void {
    this.#state = {
      ...this.#state,
      ...change,
      view: project(this.#hero, this.#queue.entries),
      unconfirmed: this.#queue.unconfirmed,
    };
    for (const listener of this.#listeners) listener();
  }
}
