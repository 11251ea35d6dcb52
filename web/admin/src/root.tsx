/** Who is there decides what is shown. */

import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import type { Overview } from './api.gen';
import { App } from './app';
import { PanelContext } from './context';
import { Live, openStream } from './live';
import { LoginPage } from './pages/login';
import { SetupPage } from './pages/setup';
import { Problem, Waiting } from './parts/problem';
import { Toast } from './parts/toast';
import type { Search } from './players';
import { SearchContext } from './search';
import type { SessionStore, SignedIn } from './session';

export function Root({ store }: { store: SessionStore }) {
  const state = useSyncExternalStore(store.subscribe, store.get);
  useEffect(() => void store.load(), [store]);
  switch (state.phase) {
    case 'loading':
      return (
        <main className="gate">
          <Waiting what="the panel" />
        </main>
      );
    case 'away':
      return (
        <main className="gate">
          <h1>Operators</h1>
          <Problem problem={state.problem} onRetry={() => void store.load()} />
        </main>
      );
    case 'setup':
      return <SetupPage store={store} isFirst environment={state.environment} />;
    case 'anonymous':
      return <LoginPage store={store} environment={state.environment} />;
    case 'signed_in':
      // Another operator begins with an empty page: nothing of the one before stays in it.
      return <SignedInRoot key={state.name} store={store} session={state} />;
  }
}

function liveOf(store: SessionStore): Live {
  return new Live({
    open: () => openStream('/v1/live'),
    ask: () => store.api.get<Overview>('/v1/overview', { isBackground: true }),
    now: () => Date.now(),
  });
}

function SignedInRoot({ store, session }: { store: SessionStore; session: SignedIn }) {
  const live = useMemo(() => liveOf(store), [store]);
  const search = useState<Search | null>(null);
  const { isOver } = session;
  useEffect(() => {
    if (isOver) return;
    live.start();
    return () => live.stop();
  }, [live, isOver]);
  const panel = useMemo(() => ({ store, session, live }), [store, session, live]);
  return (
    <PanelContext value={panel}>
      <SearchContext value={search}>
        <App />
      </SearchContext>
      <Toast />
    </PanelContext>
  );
}
