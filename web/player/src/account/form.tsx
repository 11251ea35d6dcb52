/** Fields that say what is wrong where it is wrong, and forms that wait for the server. */

import { type ComponentProps, type FormEvent, type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { Icon } from '../parts/icon';
import { type Problem, problemOf } from './problems';

export const PASSWORD_CHARACTERS_MIN = 8;
export const PASSWORD_CHARACTERS_MAX = 128;

export interface Task {
  busy: boolean;
  problem: Problem | null;
  /** Runs if nothing else of this form is under way; what it throws becomes the problem. */
  run: (job: () => Promise<void>) => void;
}

export function useTask(special: Readonly<Record<string, string>> = {}): Task {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const run = (job: () => Promise<void>) => {
    if (busy) return;
    setBusy(true);
    setProblem(null);
    job()
      .catch((error: unknown) => setProblem(problemOf(error, special)))
      .finally(() => setBusy(false));
  };
  return { busy, problem, run };
}

type FieldProps = Omit<ComponentProps<'input'>, 'onChange' | 'id'> & {
  label: string;
  hint?: string;
  problem?: Problem | null;
  onChange: (value: string) => void;
  /** Beside the field, inside its frame. */
  children?: ReactNode;
};

export function Field({ label, hint, problem = null, onChange, children, ...input }: FieldProps) {
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  // By its identity: the same problem again is new, and a problem that is only drawn again leaves the focus alone.
  useEffect(() => {
    if (problem !== null) field.current?.focus();
  }, [problem]);
  const described = [hint === undefined ? '' : `${id}-hint`, problem === null ? '' : `${id}-problem`].join(' ').trim();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <div className="field-line">
        <input
          ref={field}
          id={id}
          aria-invalid={problem !== null}
          aria-describedby={described === '' ? undefined : described}
          onChange={(event) => onChange(event.target.value)}
          {...input}
        />
        {children}
      </div>
      {hint !== undefined && (
        <p id={`${id}-hint`} className="quiet">
          {hint}
        </p>
      )}
      {problem !== null && <ProblemWords id={`${id}-problem`} problem={problem} />}
    </div>
  );
}

type PasswordProps = {
  label: string;
  /** A new one says how long it may be. */
  isNew?: boolean;
  value: string;
  problem?: Problem | null;
  onChange: (value: string) => void;
  autoFocus?: boolean;
};

export function PasswordField({ label, isNew = false, ...rest }: PasswordProps) {
  const [shown, setShown] = useState(false);
  return (
    <Field
      label={label}
      {...(isNew ? { hint: 'At least 8 characters. A few words in a row are easy to keep in mind. Nothing else is asked of it.' } : {})}
      type={shown ? 'text' : 'password'}
      autoComplete={isNew ? 'new-password' : 'current-password'}
      autoCapitalize="none"
      spellCheck={false}
      required
      minLength={isNew ? PASSWORD_CHARACTERS_MIN : undefined}
      maxLength={PASSWORD_CHARACTERS_MAX}
      {...rest}
    >
      <button type="button" aria-label={`${shown ? 'Hide' : 'Show'} the password`} onClick={() => setShown(!shown)}>
        {shown ? 'Hide' : 'Show'}
      </button>
    </Field>
  );
}

export function MailField(props: { value: string; problem?: Problem | null; onChange: (value: string) => void; autoFocus?: boolean }) {
  return <Field label="Mail" type="email" inputMode="email" autoComplete="username" autoCapitalize="none" required maxLength={254} {...props} />;
}

/** Problems that belong to no field. Said aloud, because the focus stays on the button. */
export function FormProblem({ problem }: { problem: Problem | null }) {
  if (problem === null) return null;
  return (
    <div role="alert">
      <ProblemWords problem={problem} />
    </div>
  );
}

function ProblemWords({ id, problem }: { id?: string; problem: Problem }) {
  return (
    <p id={id} className="problem" data-code={problem.code}>
      <Icon name="notice" />
      <span>
        {problem.words} {problem.hint}
      </span>
    </p>
  );
}

/** The problem if it belongs here. */
export function at(problem: Problem | null, ...places: Problem['place'][]): Problem | null {
  return problem !== null && places.includes(problem.place) ? problem : null;
}

export function Submit({ busy, children }: { busy: boolean; children: ReactNode }) {
  return (
    <button type="submit" className="primary" aria-disabled={busy}>
      {busy ? 'One moment…' : children}
    </button>
  );
}

/** A form that only does what it is told here. */
export function Form({ onSubmit, children }: { onSubmit: () => void; children: ReactNode }) {
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSubmit();
  };
  return (
    <form className="account-form" onSubmit={submit}>
      {children}
    </form>
  );
}

/** The heading takes the focus when its page comes up, so that it is read and Tab goes on from it. */
export function Heading({ children, keepFocus = false }: { children: ReactNode; keepFocus?: boolean }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (!keepFocus) heading.current?.focus({ preventScroll: true });
  }, [keepFocus]);
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
  );
}
