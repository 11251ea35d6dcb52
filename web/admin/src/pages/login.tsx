/** Name, password and the code of an authenticator. Whatever is wrong, the answer is the same. */

import { useState } from 'react';
import { usePanel } from '../context';
import { Dialog } from '../parts/effect';
import { CodeField, digits, Field, Form, PasswordField, Submit, useTask } from '../parts/field';
import { Problem } from '../parts/problem';
import type { SessionStore } from '../session';
import { SetupPage } from './setup';

export function LoginPage({ store, environment }: { store: SessionStore; environment: string }) {
  const [isInvited, setInvited] = useState(false);
  if (isInvited) return <SetupPage store={store} environment={environment} onBack={() => setInvited(false)} />;
  return (
    <main className="gate">
      <p className="quiet">Dopamine Hero · {environment}</p>
      <h1>Operators</h1>
      <LoginForm store={store} name="" />
      <button type="button" className="link" onClick={() => setInvited(true)}>
        I have an invitation
      </button>
    </main>
  );
}

function LoginForm({ store, name: known, onLeave }: { store: SessionStore; name: string; onLeave?: () => void }) {
  const [name, setName] = useState(known);
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const task = useTask();
  const submit = () => task.run(() => store.login(name.trim(), password, digits(code))).then((isDone) => !isDone && setCode(''));
  return (
    <Form onSubmit={() => void submit()}>
      <Field label="Name" value={name} onChange={setName} autoComplete="username" autoCapitalize="none" spellCheck={false} required maxLength={32} autoFocus={known === ''} />
      <PasswordField label="Password" value={password} onChange={setPassword} autoFocus={known !== ''} />
      <CodeField value={code} onChange={setCode} />
      <Problem problem={task.problem} />
      <div className="dialog-actions">
        {onLeave !== undefined && (
          <button type="button" onClick={onLeave}>
            Leave the page
          </button>
        )}
        <Submit isBusy={task.isBusy}>Log in</Submit>
      </div>
    </Form>
  );
}

/** Over the page as it was. Only the same operator gets it back. */
export function LoginAgain() {
  const { store, session } = usePanel();
  return (
    <Dialog title="The session is over" onClose={() => undefined}>
      <p className="says">Log in again and everything is as you left it, with what you typed. Another operator gets an empty page.</p>
      <LoginForm store={store} name={session.name} onLeave={() => store.leave()} />
    </Dialog>
  );
}
