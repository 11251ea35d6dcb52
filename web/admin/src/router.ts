/**
 * Which page is shown. It stands after the # of the address, which no server and no proxy ever sees, and holds nothing
 * about a person but a hero's id.
 */

import { useSyncExternalStore } from 'react';

export const PLAYER_TABS = ['hero', 'timeline', 'balance', 'devices', 'actions'] as const;
export type PlayerTab = (typeof PLAYER_TABS)[number];
export const CATALOGUE_VIEWS = ['text', 'dry-run'] as const;
export type CatalogueView = (typeof CATALOGUE_VIEWS)[number];

const PLAIN = ['overview', 'players', 'approvals', 'outages', 'catalogue', 'upload', 'cost', 'system', 'operators', 'audit'] as const;
type PlainPage = (typeof PLAIN)[number];

export type Route =
  | { page: PlainPage }
  | { page: 'player'; hero: string; tab: PlayerTab; seq: number | null }
  | { page: 'version'; version: number; view: CatalogueView }
  | { page: 'unknown' };

function whole(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

export function parseRoute(hash: string): Route {
  const [first = '', second, third, fourth, ...rest] = hash.replace(/^#?\/?/, '').split('/');
  if (rest.length > 0) return { page: 'unknown' };
  if (first === '' && second === undefined) return { page: 'overview' };
  if (first === 'players' && second !== undefined && /^[0-9a-f-]{36}$/.test(second)) {
    const tab = PLAYER_TABS.find((one) => one === (third ?? 'hero'));
    return tab === undefined ? { page: 'unknown' } : { page: 'player', hero: second, tab, seq: whole(fourth) };
  }
  const version = whole(second);
  const view = CATALOGUE_VIEWS.find((one) => one === third);
  if (first === 'catalogue' && version !== null && view !== undefined) return { page: 'version', version, view };
  const plain = PLAIN.find((one) => one === first);
  return plain === undefined || second !== undefined ? { page: 'unknown' } : { page: plain };
}

export function hrefOf(route: Route): string {
  switch (route.page) {
    case 'player':
      return `#/players/${route.hero}/${route.tab}${route.seq === null ? '' : `/${route.seq}`}`;
    case 'version':
      return `#/catalogue/${route.version}/${route.view}`;
    case 'unknown':
      return '#/';
    default:
      return `#/${route.page}`;
  }
}

export function go(route: Route, how: 'push' | 'replace' = 'push'): void {
  if (how === 'push') {
    location.hash = hrefOf(route);
    return;
  }
  history.replaceState(null, '', hrefOf(route));
  dispatchEvent(new HashChangeEvent('hashchange'));
}

function subscribe(listener: () => void): () => void {
  addEventListener('hashchange', listener);
  return () => removeEventListener('hashchange', listener);
}

export function useHash(): string {
  return useSyncExternalStore(subscribe, () => location.hash);
}
