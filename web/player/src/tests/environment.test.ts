/** `web/.env.example` names every variable that the clients read, and no other. */

import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const WEB = resolve(import.meta.dirname, '../../..');
const EXAMPLE = readFileSync(join(WEB, '.env.example'), 'utf8');
/** What a build or a page reads; tests and their tools have variables of their own. */
const SOURCES = ['sdk/src', 'player/src', 'admin/src'];
const SETTINGS = ['player/vite.config.ts', 'admin/vite.config.ts'];

const textOf = (path: string) => readFileSync(join(WEB, path), 'utf8');

function sources(): string[] {
  const found = SOURCES.flatMap((folder) => readdirSync(join(WEB, folder), { recursive: true }).map((name) => join(folder, String(name))));
  return [...found.filter((path) => /\.tsx?$/.test(path) && !path.includes('tests')), ...SETTINGS];
}

const read = [...new Set(sources().flatMap((path) => textOf(path).match(/\b(?:VITE|DOPAMINE_HERO)_[A-Z_]*[A-Z]\b/g) ?? []))].sort();
const listed = [...EXAMPLE.matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name).sort();

describe('.env.example', () => {
  it('has every variable that is read, and each that it has is read', () => {
    expect(listed).toEqual(read);
    expect(read).toContain('VITE_SOCKET_URL');
  });

  it('explains each of them', () => {
    for (const block of EXAMPLE.split('\n\n').slice(1)) expect(block).toMatch(/^(#.+\n)+[A-Z_]+=.*\n?$/);
  });

  it('has the defaults', () => {
    for (const path of SETTINGS) {
      const [, name, value] = /\['(\w+)'\] \?\? '([^']+)'/.exec(textOf(path)) ?? [];
      expect(EXAMPLE).toContain(`\n${name}=${value}\n`);
    }
  });
});
