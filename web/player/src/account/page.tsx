/** Everything about the account in one place, the rare and the final things folded away. */

import { useState } from 'react';
import type { Go } from '../parts/navigation';
import { DataCard } from './data';
import { Devices } from './devices';
import { at, Field, Form, FormProblem, Heading, PasswordField, Submit, useTask } from './form';
import { LogoutCard, useLogout } from './logout';
import { PictureForm } from './picture-form';
import { useAuth, useBrowser, useMe } from './session';

export function AccountPage({ onGo }: { onGo: Go }) {
  const { guest, expired } = useAuth();
  const { me, problem, load } = useMe();
  const leaving = useLogout(onGo);
  return (
    <main className="account">
      <Heading>Account</Heading>
      {me === null && (
        <section className="card" aria-label="Your account">
          {problem === null ? <p role="status">Asking the server…</p> : <FormProblem problem={problem} />}
          {problem !== null && (
            <div className="controls">
              <button type="button" className="primary" onClick={() => (expired ? onGo('login') : void load())}>
                {expired ? 'Log in' : 'Try again'}
              </button>
            </div>
          )}
        </section>
      )}
      {guest !== null && (
        <section className="card" aria-label="A second hero">
          <h2>A second hero on this device</h2>
          <p>The hero that was here before you logged in waits for you.</p>
          <div className="controls">
            <button type="button" onClick={() => onGo('claim')}>
              See both together
            </button>
          </div>
        </section>
      )}
      {me !== null && (
        <>
          <div className="two">
            <You />
            <MailCard />
          </div>
          <Devices onLogout={leaving.logout} />
          <PasswordCard onGo={onGo} />
          <DataCard onGo={onGo} />
        </>
      )}
      <LogoutCard leaving={leaving} />
    </main>
  );
}

function You() {
  const { account } = useBrowser();
  const { me, replace } = useMe();
  const task = useTask();
  const [name, setName] = useState(me?.name ?? '');
  const isSame = name.trim() === (me?.name ?? '');
  const save = () =>
    task.run(async () => {
      const changed = await account.rename(name.trim());
      replace({ name: changed.name });
    });
  return (
    <section className="card" aria-label="You">
      <h2>You</h2>
      <PictureForm />
      <Form onSubmit={save}>
        <Field label="Your name" hint="How mails address you. The hero has a name of its own." value={name} maxLength={40} autoComplete="nickname" onChange={setName}>
          <button type="submit" disabled={isSame}>
            {task.busy ? 'Saving…' : 'Save'}
          </button>
        </Field>
        <FormProblem problem={task.problem} />
      </Form>
    </section>
  );
}

function MailCard() {
  const { account } = useBrowser();
  const { me } = useMe();
  const task = useTask();
  const [sent, setSent] = useState(false);
  if (me === null) return null;
  const resend = () =>
    task.run(async () => {
      await account.resendMail();
      setSent(true);
    });
  return (
    <section className="card" aria-label="Mail">
      <h2>Mail</h2>
      <p className="mail-address">{me.mail ?? 'No mail: this account logs in elsewhere.'}</p>
      {me.mail !== null && me.mail_verified && <p className="quiet">Confirmed. A forgotten password finds its way back to you.</p>}
      {me.mail !== null && !me.mail_verified && (
        <>
          <p className="quiet">Not confirmed yet. The link in the mail does it.</p>
          <div className="controls">
            <button type="button" aria-disabled={task.busy || sent} onClick={sent ? undefined : resend}>
              {sent ? 'On its way' : 'Send the mail again'}
            </button>
          </div>
          <FormProblem problem={task.problem} />
        </>
      )}
      <p className="quiet">With us since {new Date(me.created_at_ms).toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric' })}.</p>
    </section>
  );
}

function PasswordCard({ onGo }: { onGo: Go }) {
  const { account } = useBrowser();
  // Here the mail is known, so only the password can be another one.
  const task = useTask({ wrong_login: 'This is not the password so far.' });
  const [old, setOld] = useState('');
  const [fresh, setFresh] = useState('');
  const [done, setDone] = useState(false);
  const change = () =>
    task.run(async () => {
      setDone(false);
      await account.changePassword(old, fresh);
      setOld('');
      setFresh('');
      setDone(true);
    });
  const isWrongOld = task.problem?.code === 'wrong_login';
  return (
    <details className="card">
      <summary>Change the password</summary>
      <Form onSubmit={change}>
        <PasswordField label="Password so far" value={old} problem={isWrongOld ? task.problem : null} onChange={setOld} />
        <PasswordField label="New password" isNew value={fresh} problem={isWrongOld ? null : at(task.problem, 'password')} onChange={setFresh} />
        <FormProblem problem={at(task.problem, 'form', 'mail')} />
        <div className="controls">
          <Submit busy={task.busy}>Change it</Submit>
          <button type="button" className="link" onClick={() => onGo('forgot')}>
            Forgot it?
          </button>
        </div>
        <p role="status">{done ? 'Changed. All other devices were signed out.' : ''}</p>
      </Form>
    </details>
  );
}
