import { describe, expect, it } from 'vitest';
import { CommandQueue } from '../queue';
import { KEY, MemoryStorage, readJson } from '../storage';
import { chooseStream, isNumberArray, type Locks, type StreamChoice } from '../stream';
import { createTask } from './fake';

/** Locks of a whole browser: held until the page that took them is gone. */
class FakeLocks implements Locks {
  readonly held = new Set<string>();
  async acquire(name: string): Promise<boolean> {
    if (this.held.has(name)) return false;
    this.held.add(name);
    return true;
  }
  release(name: string): void {
    this.held.delete(name);
  }
}

function device() {
  const storage = new MemoryStorage();
  const locks = new FakeLocks();
  let drawn = 0;
  const open = (tab = new MemoryStorage(), heroId: string | null = null): StreamChoice => ({ device: storage, tab, locks, random: () => (drawn += 1) / 1_000, heroId });
  return { storage, locks, open };
}

describe('streams', () => {
  it('two tabs of one device never share one', async () => {
    const { open } = device();
    const [a, b] = [await chooseStream(open()), await chooseStream(open())];
    expect(a).not.toBe(b);
    expect(a).toBeGreaterThan(0);
  });

  it('a reload keeps its own', async () => {
    const { open, locks } = device();
    const tab = new MemoryStorage();
    const before = await chooseStream(open(tab));
    locks.held.clear();
    expect(await chooseStream(open(tab))).toBe(before);
  });

  it('a duplicated tab does not take the one of its twin', async () => {
    const { open } = device();
    const tab = new MemoryStorage();
    const first = await chooseStream(open(tab));
    const copy = new MemoryStorage();
    copy.set(KEY.tabStream, tab.get(KEY.tabStream) ?? '');
    expect(await chooseStream(open(copy))).not.toBe(first);
  });

  it('a new tab takes the stream of a closed one, those with something unsent first', async () => {
    const { open, locks, storage } = device();
    const first = await chooseStream(open());
    const second = await chooseStream(open());
    new CommandQueue(storage, second, null).push(createTask('left behind'), 0);
    locks.held.clear();
    expect(await chooseStream(open())).toBe(second);
    expect(await chooseStream(open())).toBe(first);
  });

  it('a device keeps at most four, and none that has something unsent is forgotten', async () => {
    const { open, storage } = device();
    const first = await chooseStream(open());
    new CommandQueue(storage, first, null).push(createTask('unsent'), 0);
    for (let index = 0; index < 6; index += 1) await chooseStream(open());
    const kept = readJson(storage, KEY.streams, isNumberArray) ?? [];
    expect(kept.length).toBe(4);
    expect(kept).toContain(first);
  });

  it('whoever plays another hero leaves alone what waits for the first one', async () => {
    const { open, storage, locks } = device();
    const tab = new MemoryStorage();
    const first = await chooseStream(open(tab, 'hero-1'));
    new CommandQueue(storage, first, 'hero-1').push(createTask('of the first'), 0);
    locks.held.clear();
    const second = await chooseStream(open(tab, 'hero-2'));
    expect(second).not.toBe(first);
    locks.held.clear();
    expect(await chooseStream(open(tab, 'hero-1'))).toBe(first);
  });

  it('without locks each tab keeps to itself', async () => {
    const { open } = device();
    const alone = { ...open(), locks: null };
    const other = { ...open(), locks: null };
    expect(await chooseStream(alone)).not.toBe(await chooseStream(other));
  });
});

describe('the queue', () => {
  it('takes over what a closed tab never sent, with its own temporary ids', () => {
    const storage = new MemoryStorage();
    const closed = new CommandQueue(storage, 1, null);
    const parent = closed.push(createTask('parent'), 0);
    closed.push(createTask('child', parent?.temporary_id ?? 0), 0);
    const mine = new CommandQueue(storage, 2, null);
    mine.push(createTask('mine'), 0);
    expect(mine.adopt(1)).toBe(2);
    const [, adopted, child] = mine.entries;
    expect(adopted?.temporary_id).toBe(-2);
    expect(child?.body).toEqual(createTask('child', -2));
    expect(storage.get(KEY.queue(1))).toBeNull();
  });

  it('leaves alone what was sent and not answered: it belongs to its own stream', () => {
    const storage = new MemoryStorage();
    const closed = new CommandQueue(storage, 1, null);
    const entry = closed.push(createTask('sent'), 0);
    closed.markSent(entry?.key ?? 0, 1);
    expect(new CommandQueue(storage, 2, null).adopt(1)).toBe(0);
    expect(storage.get(KEY.queue(1))).not.toBeNull();
  });

  it('of one hero never goes to another', () => {
    const storage = new MemoryStorage();
    new CommandQueue(storage, 1, 'hero-1').push(createTask('of the first'), 0);
    const other = new CommandQueue(storage, 2, 'hero-2');
    expect(other.adopt(1)).toBe(0);
    expect(new CommandQueue(storage, 1, 'hero-2').entries).toEqual([]);
    expect(new CommandQueue(storage, 1, 'hero-1').entries.length).toBe(1);
  });

  it('of nobody is of whoever this device becomes', () => {
    const storage = new MemoryStorage();
    const queue = new CommandQueue(storage, 1, null);
    queue.push(createTask('the very first'), 0);
    queue.belongTo('hero-1');
    expect(new CommandQueue(storage, 1, 'hero-1').entries.length).toBe(1);
    expect(new CommandQueue(storage, 1, 'hero-2').entries.length).toBe(0);
  });

  it('survives damaged storage', () => {
    const storage = new MemoryStorage();
    storage.set(KEY.queue(1), '{"entries": 5');
    expect(new CommandQueue(storage, 1, null).entries).toEqual([]);
    storage.set(KEY.queue(1), '[]');
    expect(new CommandQueue(storage, 1, null).entries).toEqual([]);
  });
});
