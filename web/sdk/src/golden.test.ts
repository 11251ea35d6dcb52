/** The same bytes are tests of the server: what is in `protocol/golden` must read and write the same here. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decode } from '@msgpack/msgpack';
import { describe, expect, it } from 'vitest';
import { decodeMessage, encodeMessage } from './codec';
import type { ClientMessage } from './protocol.gen';

const folder = join(import.meta.dirname, '../../../protocol/golden');
const names = readdirSync(folder)
  .filter((name) => name.endsWith('.msgpack'))
  .map((name) => name.slice(0, -'.msgpack'.length));

const read = (name: string) => readFileSync(join(folder, `${name}.msgpack`));
const twin = (name: string): unknown => JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'));

describe('golden frames', () => {
  it('are there for both directions', () => {
    expect(names.filter((name) => name.startsWith('client.')).length).toBeGreaterThan(40);
    expect(names.filter((name) => name.startsWith('server.')).length).toBeGreaterThan(8);
  });

  it.each(names)('%s decodes to its JSON twin', (name) => {
    expect(decode(read(name))).toEqual(twin(name));
  });

  it.each(names.filter((name) => name.startsWith('server.')))('%s is a message', (name) => {
    const message = decodeMessage(new Uint8Array(read(name)));
    expect(Object.keys(message ?? {})).toEqual([name.split('.')[1]]);
  });

  it.each(names.filter((name) => name.startsWith('client.')))('%s is written byte for byte', (name) => {
    const bytes = encodeMessage(twin(name) as ClientMessage);
    expect(Buffer.from(bytes).toString('hex')).toBe(read(name).toString('hex'));
  });
});
