/** Something of the server's that a page shows. */

import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { Failed, failed, isAborted } from './api';
import { useApi, usePanel } from './context';

export interface Loaded<T> {
  /** The last answer for this very path; stays when a later request fails. */
  data: T | null;
  problem: Failed | null;
  isLoading: boolean;
  reload: () => void;
}

interface Options {
  /** Asks again, quietly. */
  everyMs?: number;
  isLong?: boolean;
  /** The server does not take it as a sign of the operator either. */
  isWatched?: boolean;
  /** Asks again when it changes. */
  again?: number | string;
}

/** Nothing is asked while `path` is nothing. */
export function useLoaded<T>(path: string | null, { everyMs, isLong = false, isWatched = false, again }: Options = {}): Loaded<T> {
  const api = useApi();
  const { isOver } = usePanel().session;
  const [state, setState] = useState<{ path: string | null; data: T | null; problem: Failed | null }>({ path: null, data: null, problem: null });
  const [round, setRound] = useState(0);
  const [isLoading, setLoading] = useState(false);
  const quiet = useRef(false);

  // A new one each time that it shall be asked, also for the same path.
  const question = useMemo(() => ({ path, round, again }), [path, round, again]);

  useEffect(() => {
    // A session that ended is not asked again and again; it is asked once it goes on.
    if (question.path === null || isOver) return;
    const { path: asked } = question;
    const abort = new AbortController();
    const isBackground = quiet.current;
    quiet.current = false;
    if (!isBackground) setLoading(true);
    api
      .get<T>(asked, { signal: abort.signal, isBackground: isWatched || isBackground, isLong })
      .then((data) => setState({ path: asked, data, problem: null }))
      .catch((error: unknown) => {
        if (isAborted(error)) return;
        setState((before) => ({ path: asked, data: before.path === asked ? before.data : null, problem: failed(error) }));
      })
      .finally(() => !abort.signal.aborted && setLoading(false));
    return () => abort.abort();
  }, [api, question, isLong, isWatched, isOver]);

  useEffect(() => {
    if (everyMs === undefined) return;
    const timer = setInterval(() => {
      quiet.current = true;
      setRound((before) => before + 1);
    }, everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);

  const reload = useCallback(() => setRound((before) => before + 1), []);
  const isThis = state.path === path;
  return { data: isThis ? state.data : null, problem: isThis ? state.problem : null, isLoading: isLoading || (path !== null && !isThis), reload };
}
