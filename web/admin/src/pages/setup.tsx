/** How somebody becomes an operator: a one-time token, a password, an authenticator, and a code that proves it works. */

import { useState } from 'react';
import type { SetupOffer } from '../api.gen';
import { Copy } from '../parts/copy';
import { CodeField, digits, Field, Form, PasswordField, Submit, useTask } from '../parts/field';
import { Problem } from '../parts/problem';
import { QrCode } from '../parts/qr';
import { ROLE_WORDS } from '../roles';
import type { SessionStore } from '../session';

interface SetupProps {
  store: SessionStore;
  environment: string;
  /** There is no operator yet. */
  isFirst?: boolean;
  onBack?: () => void;
}

export function SetupPage({ store, environment, isFirst = false, onBack }: SetupProps) {
  const [token, setToken] = useState('');
  const [password, setPassword] = useState('');
  const [offer, setOffer] = useState<SetupOffer | null>(null);
  return (
    <main className="gate">
      <p className="quiet">Dopamine Hero · {environment}</p>
      <h1>{isFirst ? 'The first operator' : 'Become an operator'}</h1>
      {offer === null ? (
        <TokenForm store={store} isFirst={isFirst} token={token} password={password} onToken={setToken} onPassword={setPassword} onOffer={setOffer} />
      ) : (
        <ConfirmForm store={store} token={token} password={password} offer={offer} onBack={() => setOffer(null)} />
      )}
      {onBack !== undefined && offer === null && (
        <button type="button" className="link" onClick={onBack}>
          Back to the login
        </button>
      )}
    </main>
  );
}

interface TokenProps {
  store: SessionStore;
  isFirst: boolean;
  token: string;
  password: string;
  onToken: (token: string) => void;
  onPassword: (password: string) => void;
  onOffer: (offer: SetupOffer) => void;
}

function TokenForm({ store, isFirst, token, password, onToken, onPassword, onOffer }: TokenProps) {
  const task = useTask();
  const submit = () => task.run(async () => onOffer(await store.beginSetup(token.trim(), password)));
  return (
    <Form onSubmit={() => void submit()}>
      {isFirst ? (
        <p>
          There is no operator yet. On the server, run <code>dopamine-hero admin invite NAME --role owner</code>; it prints a token that is good once, for a day.
        </p>
      ) : (
        <p>An owner, or the command line on the server, gave you a token that is good once, for a day.</p>
      )}
      <Field label="One-time token" value={token} onChange={onToken} autoCapitalize="none" spellCheck={false} required maxLength={128} autoFocus />
      <PasswordField label="A password for you" isNew value={password} onChange={onPassword} />
      <p className="quiet">8 to 128 characters; a few words in a row are easy to keep in mind.</p>
      <Problem problem={task.problem} />
      <Submit isBusy={task.isBusy}>Go on</Submit>
    </Form>
  );
}

interface ConfirmProps {
  store: SessionStore;
  token: string;
  password: string;
  offer: SetupOffer;
  onBack: () => void;
}

function ConfirmForm({ store, token, password, offer, onBack }: ConfirmProps) {
  const [code, setCode] = useState('');
  const task = useTask();
  const submit = () => task.run(() => store.confirmSetup(token.trim(), password, offer.totp_secret, digits(code))).then((isDone) => !isDone && setCode(''));
  return (
    <Form onSubmit={() => void submit()}>
      <p>
        You will be <strong>{offer.name}</strong>. The role <strong>{offer.role}</strong> {ROLE_WORDS[offer.role]}, and may do what lesser roles may. Nothing is made yet.
      </p>
      <p>Scan this with an authenticator app, or type the secret into it. It is shown only now.</p>
      <QrCode text={offer.totp_uri} name="Secret for your authenticator app" />
      <div className="field">
        <span className="label">Secret</span>
        <Copy text={offer.totp_secret} name="secret" />
      </div>
      <details>
        <summary>As a link</summary>
        <Copy text={offer.totp_uri} name="link" />
      </details>
      <CodeField value={code} onChange={setCode} hint="Six digits that the app shows now" />
      <Problem problem={task.problem} />
      <div className="dialog-actions">
        <button type="button" onClick={onBack}>
          Back
        </button>
        <Submit isBusy={task.isBusy}>Become an operator</Submit>
      </div>
    </Form>
  );
}
