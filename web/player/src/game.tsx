/** The client inside React. */

import type { ClientState, DopamineHero } from '@dopamine-hero/sdk';
import { createContext, useContext, useEffect, useState, useSyncExternalStore } from 'react';

const ClientContext = createContext<DopamineHero | null>(null);

export const ClientProvider = ClientContext.Provider;

export function useClient(): DopamineHero {
  const client = useContext(ClientContext);
  if (client === null) throw new Error('no client around this component');
  return client;
}

export function useGame(): ClientState {
  const client = useClient();
  return useSyncExternalStore(client.subscribe, () => client.state);
}

/** Server time, looked at again every `everyMs`. The interval only redraws; it counts nothing. */
export function useNow(everyMs: number): number {
  const client = useClient();
  const [now, setNow] = useState(() => client.clock.nowMs());
  useEffect(() => {
    const redraw = () => setNow(client.clock.nowMs());
    redraw();
    const id = setInterval(redraw, everyMs);
    document.addEventListener('visibilitychange', redraw);
    return () => {
      clearInterval(id);
      document.removeEventListener('visibilitychange', redraw);
    };
  }, [client, everyMs]);
  return now;
}
