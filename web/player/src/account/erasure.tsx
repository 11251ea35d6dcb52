/** How a hero goes: an account's is hidden for a month of second thoughts, a guest's is asked about twice and gone. */

import { useState } from 'react';
import { useClient, useGame } from '../game';
import type { Go, Page } from '../parts/navigation';
import { at, Form, FormProblem, Heading, PasswordField, type Task, useTask } from './form';
import { exactDate, longDate } from './offer';
import { useAuth, useBrowser, useMe } from './session';
import { TakeAlong } from './take-along';

/** When the account on this device is erased for good, if that was asked for. */
export function useErasure(): number | null {
  const { kind } = useAuth();
  const { me } = useMe();
  return kind === 'account' ? (me?.erase_at_ms ?? null) : null;
}

/** What can be looked at while the hero is hidden: the account, how the page looks, and the links of mails. */
const STILL_OPEN: readonly Page[] = ['account', 'settings', 'login', 'forgot', 'reset', 'verify'];

export function isHidden(page: Page, erasure: number | null): boolean {
  return erasure !== null && !STILL_OPEN.includes(page);
}

function useKeep(onGo: Go): { task: Task; keep: () => void } {
  const { account } = useBrowser();
  const { replace } = useMe();
  const client = useClient();
  const task = useTask();
  const keep = () =>
    task.run(async () => {
      await account.restore();
      replace({ erase_at_ms: null });
      client.reconnectNow();
      onGo('home', 'It stays. Everything is as you left it.');
    });
  return { task, keep };
}

/** Instead of the hero, as long as it can be brought back. */
export function ErasurePage({ erasure, onGo }: { erasure: number; onGo: Go }) {
  const { unconfirmed } = useGame();
  const { task, keep } = useKeep(onGo);
  return (
    <main className="account narrow" data-testid="erasure-page">
      <Heading>This hero is hidden</Heading>
      <section className="card" aria-label="Keep it">
        <p>You asked to delete it. Nothing of it is gone yet.</p>
        <p>
          Until <strong className="erasure-date">{exactDate(erasure)}</strong> one press brings all of it back. After that it is erased for good.
        </p>
        {unconfirmed > 0 && (
          <p className="quiet">
            {unconfirmed} {unconfirmed === 1 ? 'change waits' : 'changes wait'} on this device, and will be saved if you keep it.
          </p>
        )}
        <FormProblem problem={task.problem} />
        <div className="controls">
          <button type="button" className="primary" aria-disabled={task.busy} onClick={keep}>
            {task.busy ? 'One moment…' : 'Keep it after all'}
          </button>
          <button type="button" className="link" onClick={() => onGo('account')}>
            Account and devices
          </button>
        </div>
      </section>
      <section className="card" aria-label="Your data">
        <h2>Take your data along</h2>
        <TakeAlong />
      </section>
    </main>
  );
}

/** Above the pages that are open all the same. */
export function ErasureBanner({ page, onGo }: { page: Page; onGo: Go }) {
  const erasure = useErasure();
  const { task, keep } = useKeep(onGo);
  if (erasure === null || isHidden(page, erasure)) return null;
  return (
    <div className="banner" role="status" data-testid="erasure">
      <span>This hero is hidden, and erased for good on {longDate(erasure)}.</span>
      <button type="button" aria-disabled={task.busy} onClick={keep}>
        {task.busy ? 'One moment…' : 'Keep it after all'}
      </button>
      <FormProblem problem={task.problem} />
    </div>
  );
}

export function EraseAccount({ onGo }: { onGo: Go }) {
  const { account } = useBrowser();
  const { me, replace } = useMe();
  const erasure = useErasure();
  const task = useTask({ wrong_login: 'This is not the password.' });
  const [password, setPassword] = useState('');
  if (erasure !== null) {
    return <p className="quiet">The hero is hidden now, and erased for good on {exactDate(erasure)}. Until then the line at the top brings it back.</p>;
  }
  const asksPassword = me?.has_password ?? true;
  const erase = () =>
    task.run(async () => {
      const atMs = await account.erase(asksPassword ? password : null);
      setPassword('');
      replace({ erase_at_ms: atMs });
      onGo('home');
    });
  return (
    <details>
      <summary>Delete this hero</summary>
      <Form onSubmit={erase}>
        <p>It is hidden at once, and all other devices are signed out. After 30 days it is erased for good, with your account. Until then one press brings all of it back.</p>
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

/** Nobody knows a guest, so nothing could bring it back: it is asked about twice. */
export function EraseGuest({ onGo }: { onGo: Go }) {
  const { account, auth } = useBrowser();
  const client = useClient();
  const task = useTask();
  const [asks, setAsks] = useState(false);
  const erase = () =>
    task.run(async () => {
      await account.erase(null);
      client.forgetDevice();
      auth.reread();
      onGo('home', 'The hero is deleted. A new one begins whenever you like.');
    });
  return (
    <details>
      <summary>Delete this hero</summary>
      <div className="account-form">
        <p>A guest has no account that could bring it back: deleted, it is gone at once and for good.</p>
        <FormProblem problem={task.problem} />
        {asks ? (
          <>
            <p role="alert">Delete it now? Its sessions, energy, modules and tasks go with it.</p>
            <div className="controls">
              <button type="button" className="primary" autoFocus onClick={() => setAsks(false)}>
                Keep it
              </button>
              <button type="button" aria-disabled={task.busy} onClick={erase}>
                {task.busy ? 'One moment…' : 'Delete it for good'}
              </button>
            </div>
          </>
        ) : (
          <div className="controls">
            <button type="button" onClick={() => setAsks(true)}>
              Delete the hero
            </button>
          </div>
        )}
      </div>
    </details>
  );
}
