/**
 * How the server is now: a stream of the server's, and while that is cut, a question every few seconds. What was last
 * seen stays, with the moment when it was seen, so that a page never shows old figures as new ones.
 *
 *   stream ──overview──▶ live ◀─┐
 *   silent for 6 s ──▶ asks ────┤ answered: polling
 *                               └ no answer: lost, asks again
 */

import { Failed } from './api';
import type { Overview } from './api.gen';

export interface LiveState {
  overview: Overview | null;
  /** When it came, by this machine's clock. */
  seenAtMs: number | null;
  line: 'connecting' | 'live' | 'polling' | 'lost';
}

/** What of `EventSource` is used. */
export interface Source {
  onmessage: ((data: string) => void) | null;
  isClosed(): boolean;
  close(): void;
}

export interface Surroundings {
  open(): Source;
  ask(): Promise<Overview>;
  now(): number;
}

/** The stream sends every 2 s: three missing ones are a line that is cut. */
const SILENCE_MS = 6_000;
const ASK_EVERY_MS = 5_000;
const REOPEN_EVERY_MS = 10_000;
const LOOK_EVERY_MS = 1_000;

export class Live {
  #state: LiveState = { overview: null, seenAtMs: null, line: 'connecting' };
  readonly #listeners = new Set<() => void>();
  readonly #world: Surroundings;
  #source: Source | null = null;
  #timer: ReturnType<typeof setInterval> | null = null;
  #openedAtMs = 0;
  #streamedAtMs = 0;
  #askedAtMs = 0;
  #isAsking = false;

  constructor(world: Surroundings) {
    this.#world = world;
  }

  readonly get = (): LiveState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  start(): void {
    this.#open();
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#source?.close();
    this.#source = null;
  }

  #open(): void {
    this.#source?.close();
    this.#openedAtMs = this.#world.now();
    this.#streamedAtMs = this.#openedAtMs;
    const source = this.#world.open();
    source.onmessage = (data) => {
      const overview = read(data);
      if (overview === null || this.#source !== source) return;
      this.#streamedAtMs = this.#world.now();
      this.#seen(overview, 'live');
    };
    this.#source = source;
  }

  #look(): void {
    const now = this.#world.now();
    if (now - this.#streamedAtMs < SILENCE_MS) return;
    if (this.#source?.isClosed() !== false && now - this.#openedAtMs >= REOPEN_EVERY_MS) this.#open();
    const seenAtMs = this.#state.seenAtMs ?? this.#streamedAtMs;
    // A poll that was answered is good until the next one is overdue.
    if (now - seenAtMs >= SILENCE_MS + ASK_EVERY_MS) this.#set({ ...this.#state, line: 'lost' });
    if (this.#isAsking || now - this.#askedAtMs < ASK_EVERY_MS) return;
    this.#askedAtMs = now;
    this.#isAsking = true;
    this.#world
      .ask()
      .then((overview) => this.#timer !== null && this.#seen(overview, 'polling'))
      .catch((error: unknown) => {
        // A session that is over is no lost line; the page below the login is old all the same.
        if (this.#timer !== null && error instanceof Failed) this.#set({ ...this.#state, line: 'lost' });
      })
      .finally(() => (this.#isAsking = false));
  }

  #seen(overview: Overview, line: 'live' | 'polling'): void {
    this.#set({ overview, seenAtMs: this.#world.now(), line });
  }

  #set(state: LiveState): void {
    const { line, seenAtMs } = this.#state;
    if (line === state.line && seenAtMs === state.seenAtMs) return;
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}

function read(data: string): Overview | null {
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === 'object' && value !== null && 'simulation' in value ? (value as Overview) : null;
  } catch {
    return null;
  }
}

/** The browser's own stream. The cookie goes with it because it is of the same origin. */
export function openStream(path: string): Source {
  const stream = new EventSource(path);
  const source: Source = {
    onmessage: null,
    isClosed: () => stream.readyState === EventSource.CLOSED,
    close: () => stream.close(),
  };
  stream.addEventListener('overview', (event) => source.onmessage?.(String(event.data)));
  return source;
}
