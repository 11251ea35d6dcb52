// The golden frames of protocol/golden, read by the client's own library: what the Rust tests promise about bytes holds
// here too. `<name>.msgpack` is the frame, `<name>.json` says the same.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeMessage, encodeMessage } from './codec';
import type { ClientMessage, ServerMessage } from './protocol.gen';

const folder = join(import.meta.dirname, '../../../protocol/golden');
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.msgpack'))
  .map((file) => file.slice(0, -'.msgpack'.length));

// Adding a message without adding it here does not compile.
const clientMessages: Record<KeyOf<ClientMessage>, true> = { hello: true, command: true, ping: true };
const serverMessages: Record<KeyOf<ServerMessage>, true> = {
  welcome: true,
  durable: true,
  duplicate: true,
  rejected: true,
  events: true,
  progress: true,
  pong: true,
  status: true,
  going_away: true,
};
type KeyOf<Union> = Union extends unknown ? keyof Union : never;

const frame = (name: string): Uint8Array => new Uint8Array(readFileSync(join(folder, `${name}.msgpack`)));
const twin = (name: string): Record<string, unknown> => JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'));
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const found = (side: string) =>
  [...new Set(names.filter((name) => name.startsWith(`${side}.`)).flatMap((name) => Object.keys(twin(name))))].toSorted();

describe('golden frames', () => {
  it.each(names)('%s reads as its twin', (name) => {
    expect(decodeMessage(frame(name))).toEqual(twin(name));
  });

  it.each(names.filter((name) => name.startsWith('client.')))('%s is written byte for byte', (name) => {
    expect(hex(encodeMessage(twin(name) as ClientMessage))).toBe(hex(frame(name)));
  });

  it('there is one of every message', () => {
    expect(found('client')).toEqual(Object.keys(clientMessages).toSorted());
    expect(found('server')).toEqual(Object.keys(serverMessages).toSorted());
  });
});
