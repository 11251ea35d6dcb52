/** What every page can reach: the API, who is logged in, and how the server is. */

import { createContext, useContext, useSyncExternalStore } from 'react';
import type { Api } from './api';
import type { Role } from './api.gen';
import type { Live, LiveState } from './live';
import type { SessionStore, SignedIn } from './session';

export interface Panel {
  store: SessionStore;
  session: SignedIn;
  live: Live;
}

export const PanelContext = createContext<Panel | null>(null);

export function usePanel(): Panel {
  const panel = useContext(PanelContext);
  if (panel === null) throw new Error('a page is drawn without a session');
  return panel;
}

export function useApi(): Api {
  return usePanel().store.api;
}

export function useRole(): Role {
  return usePanel().session.role;
}

export function useLive(): LiveState {
  const { live } = usePanel();
  return useSyncExternalStore(live.subscribe, live.get);
}
