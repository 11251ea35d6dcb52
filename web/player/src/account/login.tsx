/** In: an account for a guest's hero, or the way back to an account. */

import type { Hero } from '@dopamine-hero/sdk';
import { useState } from 'react';
import { useClient, useGame } from '../game';
import type { Go } from '../parts/navigation';
import { deviceName } from './device-name';
import { at, Form, FormProblem, Heading, MailField, PasswordField, Submit, useTask } from './form';
import { guestUntil, mayOffer } from './offer';
import { useAuth, useBrowser } from './session';

/** What a guest did last goes to its own hero before somebody else plays here. */
const SAVE_MS_MAX = 5_000;

const NOT_KEPT = 'This browser keeps no cookies for this page, so the login ends when the page is closed.';

export function CreateAccount({ onGo }: { onGo: Go }) {
  const { auth } = useBrowser();
  const { kind } = useAuth();
  const client = useClient();
  const task = useTask();
  const [mail, setMail] = useState('');
  const [password, setPassword] = useState('');
  const create = () =>
    task.run(async () => {
      const { kept } = await auth.register({ mail: mail.trim(), password, device_name: deviceName(navigator.userAgent) });
      client.reconnect();
      onGo('account', `Done: your hero stays for good. A mail with a link is on its way to you. ${kept ? '' : NOT_KEPT}`);
    });
  return (
    <main className="account narrow">
      <Heading keepFocus>Keep your hero</Heading>
      <section className="card">
        <p>
          {kind === 'guest' ? 'Everything stays as it is: the same hero, its energy, and a session that is running.' : 'A hero that is on every device of yours.'}
        </p>
        <Form onSubmit={create}>
          <MailField value={mail} problem={at(task.problem, 'mail')} onChange={setMail} autoFocus />
          <PasswordField label="Password" isNew value={password} problem={at(task.problem, 'password')} onChange={setPassword} />
          <FormProblem problem={at(task.problem, 'form')} />
          <div className="controls">
            <Submit busy={task.busy}>Create the account</Submit>
            <button type="button" className="link" onClick={() => onGo('login')}>
              I have one already
            </button>
          </div>
        </Form>
        <p className="quiet">The mail is for this alone: to get back in, and to reset the password.</p>
        {kind === 'guest' && <p className="quiet">Without an account the hero lives on this device. Played today, it stays until {guestUntil(client.clock.nowMs())}.</p>}
      </section>
    </main>
  );
}

export function Login({ onGo }: { onGo: Go }) {
  const { auth } = useBrowser();
  const state = useAuth();
  const client = useClient();
  const game = useGame();
  const task = useTask();
  const [mail, setMail] = useState('');
  const [password, setPassword] = useState('');
  const login = () =>
    task.run(async () => {
      const isGuest = state.kind === 'guest';
      const bringsSomething = isGuest && (hasSomething(game.view.hero) || game.unconfirmed > 0);
      if (isGuest && game.link.state === 'live') await client.saved(SAVE_MS_MAX);
      const { kept } = await auth.login({ mail: mail.trim(), password, device_name: deviceName(navigator.userAgent) });
      const isOther = auth.state.guest !== null;
      onGo(bringsSomething && isOther ? 'claim' : 'home', kept ? 'Welcome back.' : `Welcome back. ${NOT_KEPT}`);
    });
  return (
    <main className="account narrow">
      <Heading keepFocus>{state.expired ? 'Log in once more' : 'Log in'}</Heading>
      <section className="card">
        {state.expired && <p>The login on this device has ended. What you see stays, and what you do is kept until you are back.</p>}
        <Form onSubmit={login}>
          <MailField value={mail} problem={at(task.problem, 'mail')} onChange={setMail} autoFocus />
          <PasswordField label="Password" value={password} problem={at(task.problem, 'password')} onChange={setPassword} />
          <FormProblem problem={at(task.problem, 'form')} />
          <div className="controls">
            <Submit busy={task.busy}>Log in</Submit>
            <button type="button" className="link" onClick={() => onGo('forgot')}>
              Forgot the password?
            </button>
          </div>
        </Form>
        {state.kind === 'guest' && hasSomething(game.view.hero) && (
          <p className="quiet">The hero on this device stays. After logging in you can bring both together, or keep them apart.</p>
        )}
        {mayOffer(state, game.view.hero) && (
          <button type="button" className="link" onClick={() => onGo('create')}>
            New here? Create an account
          </button>
        )}
        {state.expired && <LeaveAccount onGo={onGo} />}
      </section>
    </main>
  );
}

/** For a device that somebody else signed out for a reason. */
function LeaveAccount({ onGo }: { onGo: Go }) {
  const { auth } = useBrowser();
  const client = useClient();
  const { unconfirmed } = useGame();
  const [asking, setAsking] = useState(false);
  const leave = () => {
    auth.leave();
    client.stop();
    client.dropUnsaved();
    onGo('home');
  };
  if (!asking) {
    return (
      <button type="button" className="link" onClick={() => (unconfirmed > 0 ? setAsking(true) : leave())}>
        Go on without this account
      </button>
    );
  }
  return (
    <div role="group" aria-label="Not saved yet">
      <p>
        {unconfirmed} {unconfirmed === 1 ? 'change is' : 'changes are'} not saved yet and would go with it.
      </p>
      <div className="controls">
        <button type="button" autoFocus onClick={() => setAsking(false)}>
          Stay
        </button>
        <button type="button" onClick={leave}>
          Go on without
        </button>
      </div>
    </div>
  );
}

/** Whether there is anything in this hero that somebody could miss. */
export function hasSomething(hero: Hero): boolean {
  return hero.statistics.sessions > 0 || hero.tasks.length > 0 || hero.wallet.lifetime_energy_me > 0 || hero.focus.session !== null;
}
