/** One's own data: taken along at once, hidden at once, erased after a month of second thoughts. */

import { ApiError, isRecord, KEY, type KeyValue, readJson } from '@dopamine-hero/sdk';
import { useState, useSyncExternalStore } from 'react';
import { useClient, useGame } from '../game';
import { at, Form, FormProblem, PasswordField, useTask } from './form';
import { longDate } from './offer';
import { useAuth, useBrowser, useMe } from './session';

export function DataCard() {
  const { account } = useBrowser();
  const { hero } = useGame().view;
  const task = useTask();
  const [isPartial, setIsPartial] = useState(false);
  const name = `dopamine-hero-${hero.today.date}`;
  const takeAll = () =>
    task.run(async () => {
      setIsPartial(false);
      try {
        saveFile(await account.exportJson(), `${name}.json`);
      } catch (error) {
        if (!isAway(error)) throw error;
        // Own data is there at once, also without a server: then it is what this device knows.
        saveFile(new Blob([JSON.stringify(hero, null, 2)], { type: 'application/json' }), `${name}.json`);
        setIsPartial(true);
      }
    });
  const takeLedger = () => task.run(async () => saveFile(await account.ledgerCsv(), `${name}.csv`));
  return (
    <section className="card" aria-label="Your data">
      <h2>Your data</h2>
      <div className="controls">
        <button type="button" aria-disabled={task.busy} onClick={takeAll}>
          Everything (JSON)
        </button>
        <button type="button" aria-disabled={task.busy} onClick={takeLedger}>
          Energy and dopamine, line by line (CSV)
        </button>
      </div>
      <FormProblem problem={task.problem} />
      <p className="quiet" role="status">
        {isPartial ? 'The server did not give its file, so this one holds what this device knows of the hero.' : ''}
      </p>
      <Erase />
    </section>
  );
}

/** No answer, or a server without that route. */
function isAway(error: unknown): boolean {
  return !(error instanceof ApiError) || error.status === 404;
}

function saveFile(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // Some browsers begin to read only after this turn.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function Erase() {
  const { account, storage } = useBrowser();
  const { kind, heroId } = useAuth();
  const { me, replace } = useMe();
  const pending = usePendingErasure();
  const task = useTask({ wrong_login: 'This is not the password.' });
  const [password, setPassword] = useState('');
  if (pending !== null) {
    return <p className="quiet">The hero is hidden now, and erased for good on {longDate(pending)}. Until then the line at the top brings it back.</p>;
  }
  const asksPassword = kind === 'account' && me?.mail !== null;
  const erase = () =>
    task.run(async () => {
      const atMs = await account.erase(asksPassword ? password : null);
      setPassword('');
      if (kind === 'account') replace({ erase_at_ms: atMs });
      else if (heroId !== null) rememberErasure(storage, heroId, atMs);
    });
  return (
    <details>
      <summary>Delete this hero</summary>
      <Form onSubmit={erase}>
        <p>It is hidden at once, and all other devices are signed out. After 30 days it is erased for good. Until then one press brings all of it back.</p>
        {asksPassword && <PasswordField label="Your password" value={password} problem={at(task.problem, 'password')} onChange={setPassword} />}
        <FormProblem problem={at(task.problem, 'form', 'mail')} />
        <div className="controls">
          <button type="submit" aria-disabled={task.busy}>
            {task.busy ? 'One moment…' : 'Delete the hero'}
          </button>
        </div>
      </Form>
    </details>
  );
}

interface Erasure {
  hero_id: string;
  at_ms: number;
}

function isErasure(value: unknown): value is Erasure {
  return isRecord(value) && typeof value['hero_id'] === 'string' && typeof value['at_ms'] === 'number';
}

const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** A guest has no account that would know it, so this device keeps it. */
function rememberErasure(storage: KeyValue, heroId: string, atMs: number | null): void {
  if (atMs === null) storage.remove(KEY.erasure);
  else storage.set(KEY.erasure, JSON.stringify({ hero_id: heroId, at_ms: atMs } satisfies Erasure));
  for (const listener of listeners) listener();
}

/** When the hero on the screen is erased for good, if that was asked for. */
function usePendingErasure(): number | null {
  const { storage } = useBrowser();
  const { kind, heroId } = useAuth();
  const { me } = useMe();
  const kept = useSyncExternalStore(subscribe, () => storage.get(KEY.erasure));
  if (kind === 'account') return me?.erase_at_ms ?? null;
  const erasure = kept === null ? null : readJson(storage, KEY.erasure, isErasure);
  return erasure !== null && erasure.hero_id === heroId ? erasure.at_ms : null;
}

/** Above every page while there is something to take back. */
export function ErasureBanner() {
  const { account, storage } = useBrowser();
  const { kind, heroId } = useAuth();
  const { replace } = useMe();
  const client = useClient();
  const pending = usePendingErasure();
  const task = useTask();
  if (pending === null) return null;
  const keep = () =>
    task.run(async () => {
      await account.restore();
      if (kind === 'account') replace({ erase_at_ms: null });
      else if (heroId !== null) rememberErasure(storage, heroId, null);
      client.reconnectNow();
    });
  return (
    <div className="banner" role="status" data-testid="erasure">
      <span>This hero is hidden, and erased for good on {longDate(pending)}.</span>
      <button type="button" onClick={keep}>
        {task.busy ? 'One moment…' : 'Keep it after all'}
      </button>
      <FormProblem problem={task.problem} />
    </div>
  );
}
