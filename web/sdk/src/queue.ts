/**
 * Commands that are not durable yet. Each is written down before it is sent and kept until the server's answer, so that
 * a reload, a crash or a lost answer repeats it under the same number and the server applies it once.
 *
 * One command is under way at a time: a refusal consumes no number, so a pipeline would have to be renumbered behind
 * each refusal. A round trip costs a few milliseconds; that is cheaper than being clever.
 */

import type { Command } from './protocol.gen';
import { isRecord, KEY, type KeyValue, readJson } from './storage';

export interface Entry {
  /** Names the entry on this device. */
  key: number;
  body: Command;
  /** Server time of the player's wish, by this device's best estimate. */
  at_ms: number;
  /** The number it was sent under; nothing while it has never been sent. */
  cmd_seq: number | null;
  /** Stands for the id of what it will make, in later entries and on the screen. Always negative. */
  temporary_id: number | null;
  /** The journal number of its event, once durable: it is drawn as pending until that event has arrived. */
  result_seq: number | null;
  /** Nobody needs to hear of its refusal. */
  quiet: boolean;
}

/** Beyond this the client refuses new commands itself: a device that is offline for days stays usable. */
export const QUEUE_ENTRIES_MAX = 500;

interface Kept {
  entries: Entry[];
  next_key: number;
  /** Whose wishes these are; nothing while this device is nobody yet. */
  hero_id?: string | null;
}

function isKept(value: unknown): value is Kept {
  return isRecord(value) && Array.isArray(value['entries']) && typeof value['next_key'] === 'number';
}

function isOfHero(kept: Kept, heroId: string | null): boolean {
  const owner = kept.hero_id ?? null;
  return owner === null || heroId === null || owner === heroId;
}

/** How many commands a stream has not sent, if they are of this hero. */
export function unsentOf(storage: KeyValue, streamId: number, heroId: string | null): number {
  const kept = readJson(storage, KEY.queue(streamId), isKept);
  return kept === null || !isOfHero(kept, heroId) ? 0 : kept.entries.length;
}

/** Whether a stream waits for another hero than this one. */
export function waitsForOther(storage: KeyValue, streamId: number, heroId: string | null): boolean {
  const kept = readJson(storage, KEY.queue(streamId), isKept);
  return kept !== null && kept.entries.length > 0 && !isOfHero(kept, heroId);
}

export class CommandQueue {
  #entries: Entry[] = [];
  #nextKey = 1;

  constructor(
    private readonly storage: KeyValue,
    private streamId: number,
    private heroId: string | null,
  ) {
    const kept = readJson(storage, KEY.queue(streamId), isKept);
    if (kept !== null && isOfHero(kept, heroId)) {
      this.#entries = kept.entries;
      this.#nextKey = kept.next_key;
    }
  }

  /** All that is to be drawn as pending, in order. The array is new after every change. */
  get entries(): readonly Entry[] {
    return this.#entries;
  }

  /** What the server has not confirmed. */
  get unconfirmed(): number {
    return this.#entries.filter((entry) => entry.result_seq === null).length;
  }

  /** Nothing if there are too many already. */
  push(body: Command, atMs: number, quiet = false): Entry | null {
    if (this.#entries.length >= QUEUE_ENTRIES_MAX) return null;
    const makesTask = typeof body === 'object' && 'create_task' in body;
    const lowest = Math.min(0, ...this.#entries.map((entry) => entry.temporary_id ?? 0));
    const entry: Entry = {
      key: this.#nextKey++,
      body,
      at_ms: atMs,
      cmd_seq: null,
      temporary_id: makesTask ? lowest - 1 : null,
      result_seq: null,
      quiet,
    };
    this.#entries = [...this.#entries, entry];
    this.#save();
    return entry;
  }

  /** The first that is not confirmed. */
  get head(): Entry | null {
    return this.#entries.find((entry) => entry.result_seq === null) ?? null;
  }

  /** Written down before the frame leaves. */
  markSent(key: number, cmdSeq: number): void {
    this.#change(key, (entry) => ({ ...entry, cmd_seq: cmdSeq }));
  }

  /** Applied and on disk. Later entries that spoke of what it made now speak of its real id. */
  confirm(cmdSeq: number, resultSeq: number, createdId: number | null): Entry | null {
    const entry = this.#entries.find((one) => one.cmd_seq === cmdSeq && one.result_seq === null);
    if (entry === undefined) return null;
    this.#entries = this.#entries.map((one) => {
      if (one.key === entry.key) return { ...one, result_seq: resultSeq };
      if (entry.temporary_id === null || createdId === null) return one;
      return { ...one, body: renameTask(one.body, entry.temporary_id, createdId) };
    });
    this.#save();
    return entry;
  }

  /** Refused: gone, and with it everything that needed what it would have made. */
  drop(key: number): Entry[] {
    const first = this.#entries.find((entry) => entry.key === key);
    if (first === undefined) return [];
    const dropped = [first];
    const orphaned = new Set<number>();
    if (first.temporary_id !== null) orphaned.add(first.temporary_id);
    for (const entry of this.#entries) {
      if (entry.key === key || !taskIdsOf(entry.body).some((id) => orphaned.has(id))) continue;
      dropped.push(entry);
      if (entry.temporary_id !== null) orphaned.add(entry.temporary_id);
    }
    this.#entries = this.#entries.filter((entry) => !dropped.includes(entry));
    this.#save();
    return dropped;
  }

  /** The hero has reached `seq`: what was confirmed up to there is in it. */
  settle(seq: number): void {
    const left = this.#entries.filter((entry) => entry.result_seq === null || entry.result_seq > seq);
    if (left.length === this.#entries.length) return;
    this.#entries = left;
    this.#save();
  }

  /** Puts other entries in place of never-sent ones; for a session that ran without the server. */
  replace(keys: readonly number[], bodies: readonly { body: Command; at_ms: number }[]): void {
    const index = this.#entries.findIndex((entry) => keys.includes(entry.key));
    if (index < 0) return;
    const fresh = bodies.map(({ body, at_ms }): Entry => {
      return { key: this.#nextKey++, body, at_ms, cmd_seq: null, temporary_id: null, result_seq: null, quiet: false };
    });
    const before = this.#entries.slice(0, index);
    const after = this.#entries.slice(index).filter((entry) => !keys.includes(entry.key));
    this.#entries = [...before, ...fresh, ...after];
    this.#save();
  }

  /** This device has become somebody: its wishes are of this hero from now on. */
  belongTo(heroId: string): void {
    if (this.heroId === heroId) return;
    this.heroId = heroId;
    this.#save();
  }

  /** Takes over what another, closed tab never sent. What it sent unanswered stays under its own stream. */
  adopt(otherStreamId: number): number {
    const kept = readJson(this.storage, KEY.queue(otherStreamId), isKept);
    if (kept === null || !isOfHero(kept, this.heroId) || kept.entries.some((entry) => entry.cmd_seq !== null)) return 0;
    for (const entry of kept.entries) {
      const fresh = this.push(entry.body, entry.at_ms, entry.quiet);
      if (fresh === null || entry.temporary_id === null || fresh.temporary_id === null) continue;
      for (const later of kept.entries) later.body = renameTask(later.body, entry.temporary_id, fresh.temporary_id);
    }
    this.storage.remove(KEY.queue(otherStreamId));
    return kept.entries.length;
  }

  /** The server forgot the old stream: everything unconfirmed is numbered anew under another one. */
  moveTo(streamId: number): void {
    this.storage.remove(KEY.queue(this.streamId));
    this.streamId = streamId;
    this.#entries = this.#entries.map((entry) => (entry.result_seq === null ? { ...entry, cmd_seq: null } : entry));
    this.#save();
  }

  #change(key: number, change: (entry: Entry) => Entry): void {
    this.#entries = this.#entries.map((entry) => (entry.key === key ? change(entry) : entry));
    this.#save();
  }

  #save(): void {
    const entries = this.#entries.filter((entry) => entry.result_seq === null);
    if (entries.length === 0 && this.#nextKey === 1) return;
    const kept: Kept = { entries, next_key: this.#nextKey, hero_id: this.heroId };
    this.storage.set(KEY.queue(this.streamId), JSON.stringify(kept));
  }
}

/** Ids of tasks that a command speaks of. */
export function taskIdsOf(command: Command): number[] {
  const ids: number[] = [];
  visitTaskIds(command, (id) => {
    ids.push(id);
    return id;
  });
  return ids;
}

function renameTask(command: Command, from: number, to: number): Command {
  return visitTaskIds(command, (id) => (id === from ? to : id));
}

function visitTaskIds(command: Command, visit: (id: number) => number): Command {
  if (typeof command !== 'object') return command;
  const [kind, fields] = Object.entries(command)[0] as [string, Record<string, unknown>];
  if (!isRecord(fields)) return command;
  const changed: Record<string, unknown> = { ...fields };
  for (const name of ['task_id', 'parent_id']) {
    const id = changed[name];
    if (typeof id === 'number') changed[name] = visit(id);
  }
  return { [kind]: changed } as unknown as Command;
}
