/**
 * Everything that changes a player or the server goes through here: a dialog says in plain words what will happen and asks
 * why. The reason is kept in the audit log, and where a hero changes, in its journal. A request that fails leaves the
 * dialog open with what was typed.
 */

import { type ReactNode, useId, useLayoutEffect, useRef, useState } from 'react';
import type { Role } from '../api.gen';
import { useRole } from '../context';
import { whyNot } from '../roles';
import { Area, Field, Form, Submit, useTask } from './field';
import { Problem } from './problem';
import { say } from './toast';

export const REASON_CHARACTERS_MIN = 3;
export const REASON_CHARACTERS_MAX = 200;

export interface EffectProps {
  /** On the button. */
  label: string;
  /** For whoever cannot see what stands beside the button. */
  name?: string;
  needs: Role;
  tone?: 'danger' | 'primary' | 'plain';
  /** Why it cannot be done now, besides the role. */
  off?: string | null;
  /** The dialog's heading, a question. */
  title: string;
  /** What will happen. */
  says: ReactNode;
  /** On the button that does it. */
  confirm: string;
  /** Has to be typed, for what cannot be taken back. */
  typed?: string;
  /** False for the few wishes that carry another one's reason. */
  asksReason?: boolean;
  /** Throws what went wrong. What it returns is said in a line at the page's foot. */
  run: (reason: string) => Promise<string>;
  onDone?: () => void;
}

export function Effect({ label, name, needs, tone = 'plain', off = null, ...dialog }: EffectProps) {
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  const reason = whyNot(useRole(), needs) ?? off;
  return (
    <span className="effect">
      <button
        type="button"
        className={tone === 'plain' ? '' : tone}
        aria-label={name}
        aria-disabled={reason !== null}
        aria-describedby={reason === null ? undefined : id}
        title={reason ?? undefined}
        onClick={() => (reason === null ? setOpen(true) : say(reason))}
      >
        {label}
      </button>
      {reason !== null && (
        <span id={id} className="visually-hidden">
          {reason}
        </span>
      )}
      {isOpen && <EffectDialog {...dialog} tone={tone} onClose={() => setOpen(false)} />}
    </span>
  );
}

type DialogProps = Pick<EffectProps, 'title' | 'says' | 'confirm' | 'typed' | 'run' | 'onDone' | 'tone' | 'asksReason'> & { onClose: () => void };

function EffectDialog({ title, says, confirm, typed, run, onDone, tone, asksReason = true, onClose }: DialogProps) {
  const [reason, setReason] = useState('');
  const [word, setWord] = useState('');
  const task = useTask();
  const isReasoned = !asksReason || [...reason.trim()].length >= REASON_CHARACTERS_MIN;
  const isReady = isReasoned && (typed === undefined || word === typed);
  const submit = async () => {
    if (!isReady) return;
    let done = '';
    const isDone = await task.run(async () => {
      done = await run(reason.trim());
    });
    if (!isDone) return;
    onClose();
    say(done);
    onDone?.();
  };
  return (
    <Dialog title={title} onClose={() => !task.isBusy && onClose()}>
      <Form onSubmit={() => void submit()}>
        <div className="says">{says}</div>
        {asksReason && (
          <Area
            label="Reason"
            hint={`At least ${REASON_CHARACTERS_MIN} characters. It stands in the audit log for good, so name no one by mail or address.`}
            value={reason}
            onChange={setReason}
            maxLength={REASON_CHARACTERS_MAX}
            rows={2}
            required
            autoFocus
          />
        )}
        {typed !== undefined && <Field label={`Type “${typed}” to go on`} value={word} onChange={setWord} autoCapitalize="none" spellCheck={false} required />}
        <Problem problem={task.problem} />
        <div className="dialog-actions">
          <button type="button" onClick={onClose}>
            Leave it
          </button>
          <Submit isBusy={task.isBusy} tone={tone === 'danger' ? 'danger' : 'primary'}>
            {confirm}
          </Submit>
        </div>
      </Form>
    </Dialog>
  );
}

/** The browser's own dialog: the rest of the page cannot be reached, Escape leads out, the focus goes back. */
export function Dialog({ title, onClose, children }: { title: string; onClose: () => void; children: ReactNode }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  // Closed while it is still on the page: only then does the browser give the focus back.
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}
