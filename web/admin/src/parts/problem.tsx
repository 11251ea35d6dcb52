/** What went wrong, as text: what to do, and under which number the log knows it. */

import type { ReactNode } from 'react';
import type { Failed } from '../api';

export function Problem({ problem, onRetry }: { problem: Failed | null; onRetry?: () => void }) {
  if (problem === null) return null;
  return (
    <div className="problem" role="alert" data-code={problem.code}>
      <p>
        <strong>{titleOf(problem)}</strong> {problem.hint}
        {problem.retryAfterS !== null && ` Try again in ${problem.retryAfterS} s.`}
      </p>
      {problem.requestId !== null && (
        <p className="quiet">
          Request <code>{problem.requestId}</code>
        </p>
      )}
      {onRetry !== undefined && (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}

function titleOf(problem: Failed): string {
  switch (problem.code) {
    case 'away':
      return 'No answer.';
    case 'unsure':
      return 'Not known.';
    case 'conflict':
      return 'Something else happened first.';
    case 'own_wish':
    case 'forbidden':
      return 'Not allowed.';
    case 'not_found':
      return 'Not found.';
    case 'read_only':
      return 'The database is away.';
    case 'busy':
      return 'Busy.';
    case 'rate':
      return 'Too often.';
    case 'unauthenticated':
      return 'The session is over.';
    case 'internal':
    case 'page':
      return 'That was our mistake.';
    default:
      return 'That did not work.';
  }
}

/** While something is asked for the first time. */
export function Waiting({ what }: { what: string }) {
  return (
    <p className="quiet waiting" role="status">
      Loading {what}…
    </p>
  );
}

interface LoadedProps<T> {
  of: { data: T | null; problem: Failed | null; reload: () => void };
  what: string;
  children: (data: T) => ReactNode;
}

/** What was loaded; a problem stands above what was there before, which stays. */
export function Shown<T>({ of, what, children }: LoadedProps<T>) {
  return (
    <>
      <Problem problem={of.problem} onRetry={of.reload} />
      {of.data === null ? of.problem === null && <Waiting what={what} /> : children(of.data)}
    </>
  );
}
