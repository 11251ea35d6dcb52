/** Who plays here, inside React: the login, and what the server knows of the account. */

import type { AuthState, Browser, Me } from '@dopamine-hero/sdk';
import { createContext, type ReactNode, useCallback, useContext, useEffect, useState, useSyncExternalStore } from 'react';
import { useGame } from '../game';
import { type Problem, problemOf } from './problems';

const BrowserContext = createContext<Browser | null>(null);

export const BrowserProvider = BrowserContext.Provider;

export function useBrowser(): Browser {
  const browser = useContext(BrowserContext);
  if (browser === null) throw new Error('no browser around this component');
  return browser;
}

export function useAuth(): AuthState {
  const { auth } = useBrowser();
  return useSyncExternalStore(auth.subscribe, () => auth.state);
}

export interface MeStore {
  /** Nothing for a guest, and until the server has answered. */
  me: Me | null;
  problem: Problem | null;
  load: () => Promise<void>;
  replace: (change: Partial<Me>) => void;
}

const MeContext = createContext<MeStore | null>(null);

export function useMe(): MeStore {
  const store = useContext(MeContext);
  if (store === null) throw new Error('no account around this component');
  return store;
}

/** Asks for the account when there is one, and again whenever the line is back. */
export function MeProvider({ children }: { children: ReactNode }) {
  const { account } = useBrowser();
  const { kind, accountId, expired } = useAuth();
  const { state } = useGame().link;
  const line = state === 'live' || state === 'erasing' ? state : 'away';
  const [me, setMe] = useState<Me | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const load = useCallback(
    () =>
      account.me().then(
        (answer) => {
          setMe(answer);
          setProblem(null);
        },
        (error: unknown) => setProblem(problemOf(error)),
      ),
    [account],
  );
  useEffect(() => {
    if (kind === 'account' && !expired) void load();
    // Another account, or a line that is back or says that this one is to be erased: worth asking again.
    // oxlint-disable-next-line react/exhaustive-effect-dependencies
  }, [kind, accountId, expired, line, load]);
  const replace = useCallback((change: Partial<Me>) => setMe((before) => (before === null ? null : { ...before, ...change })), []);
  const mine = kind === 'account' && me?.account_id === accountId ? me : null;
  return <MeContext.Provider value={{ me: mine, problem, load, replace }}>{children}</MeContext.Provider>;
}
