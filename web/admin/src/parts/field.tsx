/** Fields with a label, and forms that only do what they are told here. */

import { type ComponentProps, type FormEvent, type ReactNode, useId, useState } from 'react';
import { Failed, failed } from '../api';

type InputProps = Omit<ComponentProps<'input'>, 'onChange' | 'id'> & {
  label: string;
  hint?: ReactNode;
  onChange: (value: string) => void;
  /** Beside the field. */
  children?: ReactNode;
};

export function Field({ label, hint, onChange, children, ...input }: InputProps) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <div className="field-line">
        <input id={id} aria-describedby={hint === undefined ? undefined : `${id}-hint`} autoComplete="off" onChange={(event) => onChange(event.target.value)} {...input} />
        {children}
      </div>
      {hint !== undefined && (
        <p id={`${id}-hint`} className="quiet">
          {hint}
        </p>
      )}
    </div>
  );
}

type AreaProps = Omit<ComponentProps<'textarea'>, 'onChange' | 'id'> & { label: string; hint?: ReactNode; onChange: (value: string) => void };

export function Area({ label, hint, onChange, ...area }: AreaProps) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <textarea id={id} aria-describedby={hint === undefined ? undefined : `${id}-hint`} onChange={(event) => onChange(event.target.value)} {...area} />
      {hint !== undefined && (
        <p id={`${id}-hint`} className="quiet">
          {hint}
        </p>
      )}
    </div>
  );
}

interface ChoiceProps<T extends string> {
  label: string;
  value: T;
  options: readonly (readonly [value: T, words: string])[];
  onChange: (value: T) => void;
  hint?: string;
}

export function Choice<T extends string>({ label, value, options, onChange, hint }: ChoiceProps<T>) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select id={id} value={value} aria-describedby={hint === undefined ? undefined : `${id}-hint`} onChange={(event) => onChange(event.target.value as T)}>
        {options.map(([one, words]) => (
          <option key={one} value={one}>
            {words}
          </option>
        ))}
      </select>
      {hint !== undefined && (
        <p id={`${id}-hint`} className="quiet">
          {hint}
        </p>
      )}
    </div>
  );
}

export function PasswordField({ isNew = false, ...rest }: { label: string; isNew?: boolean; value: string; autoFocus?: boolean; onChange: (value: string) => void }) {
  const [isShown, setShown] = useState(false);
  return (
    <Field
      type={isShown ? 'text' : 'password'}
      autoComplete={isNew ? 'new-password' : 'current-password'}
      autoCapitalize="none"
      spellCheck={false}
      required
      maxLength={128}
      {...rest}
    >
      <button type="button" aria-label={`${isShown ? 'Hide' : 'Show'} the password`} onClick={() => setShown(!isShown)}>
        {isShown ? 'Hide' : 'Show'}
      </button>
    </Field>
  );
}

/** The six digits of an authenticator app. */
export function CodeField(props: { value: string; onChange: (value: string) => void; hint?: string }) {
  return (
    <Field
      label="Code"
      hint="Six digits, from your authenticator app"
      inputMode="numeric"
      autoComplete="one-time-code"
      pattern="[0-9 ]{6,7}"
      maxLength={7}
      required
      className="code"
      {...props}
    />
  );
}

/** What was typed, as it is sent: apps show the digits in two groups. */
export function digits(code: string): string {
  return code.replaceAll(' ', '');
}

export interface Task {
  isBusy: boolean;
  problem: Failed | null;
  /** Runs if nothing else of this form is under way; what it throws becomes the problem. Says whether it worked. */
  run: (job: () => Promise<void>) => Promise<boolean>;
  clear: () => void;
}

export function useTask(): Task {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Failed | null>(null);
  const run = async (job: () => Promise<void>): Promise<boolean> => {
    if (isBusy) return false;
    setBusy(true);
    setProblem(null);
    try {
      await job();
      return true;
    } catch (error) {
      setProblem(failed(error));
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { isBusy, problem, run, clear: () => setProblem(null) };
}

export function Form({ onSubmit, className = 'form', children }: { onSubmit: () => void; className?: string; children: ReactNode }) {
  const submit = (event: FormEvent) => {
    event.preventDefault();
    // A form inside a dialog is no part of the form around it.
    event.stopPropagation();
    onSubmit();
  };
  return (
    <form className={className} onSubmit={submit}>
      {children}
    </form>
  );
}

export function Submit({ isBusy, tone = 'primary', children }: { isBusy: boolean; tone?: 'primary' | 'danger'; children: ReactNode }) {
  return (
    <button type="submit" className={tone} aria-disabled={isBusy}>
      {isBusy ? 'One moment…' : children}
    </button>
  );
}
