/** What mails are for: a forgotten password, and an address that is really yours. */

import { useEffect, useRef, useState } from 'react';
import type { Go } from '../parts/navigation';
import { at, Form, FormProblem, Heading, MailField, PasswordField, Submit, useTask } from './form';
import { useBrowser, useAuth, useMe } from './session';

export function ForgotPassword({ onGo }: { onGo: Go }) {
  const { account } = useBrowser();
  const task = useTask();
  const [mail, setMail] = useState('');
  const [sentTo, setSentTo] = useState<string | null>(null);
  const send = () =>
    task.run(async () => {
      await account.forgotPassword(mail.trim());
      setSentTo(mail.trim());
    });
  if (sentTo !== null) {
    return (
      <main className="account narrow">
        <Heading key="sent">Look into your mail</Heading>
        <section className="card">
          <p>If there is an account for {sentTo}, a link is on its way. It works once, for 15 minutes.</p>
          <p className="quiet">Nothing there? It may be among the unwanted mails.</p>
          <div className="controls">
            <button type="button" onClick={() => onGo('login')}>
              Back to the login
            </button>
            <button type="button" className="link" onClick={() => setSentTo(null)}>
              Another address
            </button>
          </div>
        </section>
      </main>
    );
  }
  return (
    <main className="account narrow">
      <Heading keepFocus>A new password</Heading>
      <section className="card">
        <p>It happens. Where should the link go?</p>
        <Form onSubmit={send}>
          <MailField value={mail} problem={at(task.problem, 'mail')} onChange={setMail} autoFocus />
          <FormProblem problem={at(task.problem, 'form', 'password')} />
          <div className="controls">
            <Submit busy={task.busy}>Send the link</Submit>
            <button type="button" className="link" onClick={() => onGo('login')}>
              Back
            </button>
          </div>
        </Form>
      </section>
    </main>
  );
}

export function ResetPassword({ code, onGo }: { code: string; onGo: Go }) {
  const { account } = useBrowser();
  const task = useTask();
  const [password, setPassword] = useState('');
  const reset = () =>
    task.run(async () => {
      await account.resetPassword(code, password);
      onGo('login', 'The new password is set, and every device was signed out. Log in with it.');
    });
  const isOver = task.problem?.code === 'code';
  return (
    <main className="account narrow">
      <Heading keepFocus>A new password</Heading>
      <section className="card">
        <Form onSubmit={reset}>
          <PasswordField label="New password" isNew value={password} problem={at(task.problem, 'password')} onChange={setPassword} autoFocus />
          <FormProblem problem={at(task.problem, 'form', 'mail')} />
          <div className="controls">
            {isOver ? (
              <button type="button" className="primary" onClick={() => onGo('forgot')}>
                Ask for a new link
              </button>
            ) : (
              <Submit busy={task.busy}>Set the password</Submit>
            )}
          </div>
        </Form>
        <p className="quiet">All devices are signed out then, in case somebody else knew the old one.</p>
      </section>
    </main>
  );
}

export function VerifyMail({ code, onGo }: { code: string; onGo: Go }) {
  const { account } = useBrowser();
  const { kind } = useAuth();
  const { load } = useMe();
  const task = useTask();
  const [done, setDone] = useState(false);
  // A code is good for one use: however often this page is drawn, it is sent once.
  const sent = useRef<string | null>(null);
  useEffect(() => {
    if (sent.current === code) return;
    sent.current = code;
    task.run(async () => {
      await account.verifyMail(code);
      setDone(true);
      if (kind === 'account') await load();
    });
  });
  const goOn = () => onGo(kind === 'account' ? 'account' : 'home');
  return (
    <main className="account narrow">
      <Heading key={String(done)}>{done ? 'Your mail is confirmed' : 'Confirming your mail'}</Heading>
      <section className="card">
        <p role="status">{done ? 'Thank you. If you ever forget the password, a link will find you.' : task.busy ? 'One moment…' : ''}</p>
        <FormProblem problem={task.problem} />
        <div className="controls">
          <button type="button" className={done ? 'primary' : ''} onClick={goOn}>
            {kind === 'account' ? 'To the account' : 'To the hero'}
          </button>
        </div>
        {task.problem !== null && <p className="quiet">A new link can be asked for on the account page.</p>}
      </section>
    </main>
  );
}
