/** Where a device keeps what must outlive the page. */

export interface KeyValue {
  get(key: string): string | null;
  set(key: string, value: string): void;
  remove(key: string): void;
  keys(): string[];
}

export const KEY = {
  /** A guest's token. */
  device: 'dopamine-hero.device',
  /** Whose account is logged in here: ids, and never a token. */
  account: 'dopamine-hero.account',
  hero: 'dopamine-hero.hero',
  streams: 'dopamine-hero.streams',
  queue: (streamId: number) => `dopamine-hero.queue.${streamId}`,
  tabStream: 'dopamine-hero.stream',
} as const;

export class MemoryStorage implements KeyValue {
  #values = new Map<string, string>();

  get(key: string): string | null {
    return this.#values.get(key) ?? null;
  }
  set(key: string, value: string): void {
    this.#values.set(key, value);
  }
  remove(key: string): void {
    this.#values.delete(key);
  }
  keys(): string[] {
    return [...this.#values.keys()];
  }
}

/** Web storage that may be full, forbidden or missing: then the page goes on with what it has in memory. */
export class WebStorage implements KeyValue {
  #fallback = new MemoryStorage();

  constructor(private readonly area: Storage | null) {}

  get(key: string): string | null {
    try {
      return this.area?.getItem(key) ?? this.#fallback.get(key);
    } catch {
      return this.#fallback.get(key);
    }
  }

  set(key: string, value: string): void {
    try {
      if (this.area === null) throw new Error('no storage');
      this.area.setItem(key, value);
    } catch {
      this.#fallback.set(key, value);
    }
  }

  remove(key: string): void {
    this.#fallback.remove(key);
    try {
      this.area?.removeItem(key);
    } catch {
      // Forbidden storage kept nothing.
    }
  }

  keys(): string[] {
    try {
      return [...Object.keys(this.area ?? {}), ...this.#fallback.keys()];
    } catch {
      return this.#fallback.keys();
    }
  }
}

/** Reads JSON that an older version, or nobody, may have written. */
export function readJson<T>(storage: KeyValue, key: string, isValid: (value: unknown) => value is T): T | null {
  const text = storage.get(key);
  if (text === null) return null;
  try {
    const value: unknown = JSON.parse(text);
    return isValid(value) ? value : null;
  } catch {
    return null;
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
