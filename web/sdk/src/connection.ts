/**
 * One socket at a time, opened again for ever. Owns the socket, its tickets, pings and waits; knows nothing of heroes or
 * queues. Everything from outside (time, network, sockets) comes in through `Surroundings`.
 *
 *   start ─▶ connecting (ticket, socket, hello) ─ welcome ─▶ live ─ close ─▶ waiting ─ timer, wake ─▶ connecting
 *                                                                     └ 1000, 4003, no more token, to be erased ─▶ stopped
 */

import { backoffMs, delayAfter, reactionTo } from './backoff';
import type { ServerClock, TimeSource } from './clock';
import { decodeMessage, encodeMessage } from './codec';
import { ApiError, Unauthorized } from './http';
import { CLOSE, type ClientMessage, type Hello, type ServerMessage, SUBPROTOCOL, type Welcome } from './protocol.gen';

/** `WebSocket.OPEN`. */
const OPEN = 1;

export interface SocketLike {
  binaryType: string;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
  onerror: (() => void) | null;
  /** As browsers count it: 1 is open. */
  readonly readyState: number;
  send(data: Uint8Array): void;
  close(code?: number): void;
}

export interface Surroundings extends TimeSource {
  random(): number;
  /** Gives back how to cancel it. */
  after(delayMs: number, run: () => void): () => void;
  openSocket(url: string, subprotocol: string): SocketLike;
  isOnline(): boolean;
  /** Calls back when the page is shown again, the network returns or the machine wakes. */
  onWake(run: () => void): () => void;
}

export type Link =
  | { state: 'idle' | 'connecting' | 'live' | 'signed_out' | 'banned' | 'stopped' }
  /** The account waits to be erased, as its owner asked: there is nothing to play until that is undone. */
  | { state: 'erasing' }
  /** `retry_at_ms` is monotonic. */
  | { state: 'waiting'; retry_at_ms: number; online: boolean };

export interface ConnectionOptions {
  socketUrl: string;
  clock: ServerClock;
  surroundings: Surroundings;
  /** A new ticket for each socket. Throws `Unauthorized` if there is none for this device any more. */
  ticket(): Promise<string>;
  hello(): Omit<Hello, 'ticket'>;
  onWelcome(welcome: Welcome): void;
  onMessage(message: ServerMessage): void;
  onLink(link: Link): void;
  /** The server closed because of what we sent. */
  onBadFrame(code: number): void;
}

/** Welcome, or any answer to a ping, must come within this. */
const ANSWER_MS_MAX = 10_000;
/** After a wake-up an old socket is often dead without knowing it: find out sooner. */
const WAKE_ANSWER_MS_MAX = 4_000;
/** A few quick pings for a median, then rarely. Below the limit of 2 a second. */
const FIRST_PINGS = 5;
const FIRST_PING_EVERY_MS = 700;
const PING_EVERY_MS = 15_000;
/** A connection that lived this long was a good one: failures before it are forgotten. */
const STABLE_MS = 5_000;

/** No status of the socket's own: the browser's word for a lost connection. */
const ABNORMAL = 1006;

export class Connection {
  #link: Link = { state: 'idle' };
  #socket: SocketLike | null = null;
  /** Rises with every try, so that a late callback of an older try is ignored. */
  #try = 0;
  #failures = 0;
  #liveSinceMs = 0;
  #goingAwayMs: number | null = null;
  #cancelWait: (() => void) | null = null;
  #cancelDeadline: (() => void) | null = null;
  #deadlineAtMs = 0;
  #cancelPing: (() => void) | null = null;
  #pings = 0;
  #stopListening: (() => void) | null = null;

  constructor(private readonly options: ConnectionOptions) {}

  get link(): Link {
    return this.#link;
  }

  start(): void {
    if (this.#stopListening !== null) return;
    this.#stopListening = this.options.surroundings.onWake(() => this.wake());
    void this.#connect();
  }

  stop(): void {
    this.#stopListening?.();
    this.#stopListening = null;
    this.#discardSocket();
    this.#setLink({ state: 'stopped' });
  }

  /** The page is back: check the socket we have, or try now instead of later. */
  wake(): void {
    this.options.clock.checkSleep();
    if (this.#link.state === 'waiting' || this.#link.state === 'erasing') void this.#connect();
    else if (this.#link.state === 'live') this.#ping(WAKE_ANSWER_MS_MAX);
  }

  /** The player does not want to wait. */
  tryNow(): void {
    if (['waiting', 'stopped', 'signed_out', 'erasing'].includes(this.#link.state)) void this.#connect();
  }

  /** Throws the socket away and comes back at once; for a client that noticed a gap. */
  reconnect(): void {
    if (this.#link.state === 'live') void this.#connect();
  }

  /** False if there is no open socket; then the caller keeps what it has. */
  send(message: ClientMessage): boolean {
    // One that is closing says so only after it is closed; what is sent meanwhile is lost, and browsers complain.
    if (this.#link.state !== 'live' || this.#socket?.readyState !== OPEN) return false;
    this.#socket.send(encodeMessage(message));
    return true;
  }

  async #connect(): Promise<void> {
    this.#discardSocket();
    const current = ++this.#try;
    this.#setLink({ state: 'connecting' });
    try {
      const ticket = await this.options.ticket();
      if (current !== this.#try) return;
      this.#open(ticket, current);
    } catch (error) {
      if (current !== this.#try) return;
      if (error instanceof Unauthorized) this.#setLink({ state: 'signed_out' });
      else if (error instanceof ApiError && error.code === 'erasing') this.#setLink({ state: 'erasing' });
      else this.#wait(backoffMs(this.#failures, this.options.surroundings.random()));
    }
  }

  #open(ticket: string, current: number): void {
    const socket = this.options.surroundings.openSocket(this.options.socketUrl, SUBPROTOCOL);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    this.#expectAnswer(ANSWER_MS_MAX);
    socket.onopen = () => {
      if (current === this.#try) socket.send(encodeMessage({ hello: { ticket, ...this.options.hello() } }));
    };
    socket.onmessage = (event) => {
      if (current === this.#try && event.data instanceof ArrayBuffer) this.#receive(event.data);
    };
    socket.onclose = (event) => {
      if (current === this.#try) this.#closed(event.code);
    };
    socket.onerror = null;
  }

  #receive(frame: ArrayBuffer): void {
    const message = decodeMessage(frame);
    if (message === null) return;
    this.#cancelDeadline?.();
    this.#cancelDeadline = null;
    if ('welcome' in message) {
      this.#liveSinceMs = this.options.surroundings.monotonicMs();
      this.#goingAwayMs = null;
      this.options.clock.addCoarse(message.welcome.server_now_ms);
      this.#setLink({ state: 'live' });
      this.options.onWelcome(message.welcome);
      this.#pings = 0;
      this.#ping(ANSWER_MS_MAX);
    } else if ('pong' in message) {
      const now = this.options.surroundings.monotonicMs();
      this.options.clock.addSample(message.pong.server_now_ms, message.pong.client_ms, now);
    } else if ('going_away' in message) {
      this.#goingAwayMs = message.going_away.reconnect_after_ms;
    } else {
      this.options.onMessage(message);
    }
  }

  #ping(answerWithinMs: number): void {
    this.#cancelPing?.();
    if (this.#link.state !== 'live') return;
    // Also of a socket that hangs while it closes an answer is expected: none comes, and it is given up.
    this.send({ ping: { client_ms: Math.round(this.options.surroundings.monotonicMs()) } });
    this.#expectAnswer(answerWithinMs);
    this.#pings += 1;
    const next = this.#pings < FIRST_PINGS ? FIRST_PING_EVERY_MS : PING_EVERY_MS;
    this.#cancelPing = this.options.surroundings.after(next, () => this.#ping(ANSWER_MS_MAX));
  }

  /** Any frame counts as an answer. A later question never gives an unanswered one more time. */
  #expectAnswer(withinMs: number): void {
    const atMs = this.#now() + withinMs;
    if (this.#cancelDeadline !== null && this.#deadlineAtMs <= atMs) return;
    this.#cancelDeadline?.();
    this.#deadlineAtMs = atMs;
    this.#cancelDeadline = this.options.surroundings.after(withinMs, () => this.#closed(ABNORMAL));
  }

  #closed(code: number): void {
    const wasStable = this.#link.state === 'live' && this.#now() - this.#liveSinceMs >= STABLE_MS;
    if (wasStable) this.#failures = 0;
    if (reactionTo(code) === 'fix_client') this.options.onBadFrame(code);
    const delay = delayAfter({
      code,
      attempt: this.#failures,
      reconnectAfterMs: this.#goingAwayMs,
      random: this.options.surroundings.random(),
    });
    this.#discardSocket();
    if (delay !== null) return this.#wait(delay);
    this.#try += 1;
    this.#setLink({ state: code === CLOSE.banned ? 'banned' : 'stopped' });
  }

  #wait(delayMs: number): void {
    this.#failures += 1;
    const { surroundings } = this.options;
    this.#setLink({ state: 'waiting', retry_at_ms: this.#now() + delayMs, online: surroundings.isOnline() });
    this.#cancelWait = surroundings.after(Math.max(0, delayMs), () => void this.#connect());
  }

  #discardSocket(): void {
    for (const cancel of [this.#cancelWait, this.#cancelDeadline, this.#cancelPing]) cancel?.();
    this.#cancelWait = this.#cancelDeadline = this.#cancelPing = null;
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null) return;
    socket.onopen = socket.onmessage = socket.onclose = socket.onerror = null;
    socket.close(CLOSE.normal);
  }

  #setLink(link: Link): void {
    this.#link = link;
    this.options.onLink(link);
  }

  #now(): number {
    return this.options.surroundings.monotonicMs();
  }
}

