/** What did not work, in plain words: by the server's code, never by its numbers. */

import { ApiError } from '@dopamine-hero/sdk';

export type Place = 'form' | 'mail' | 'password' | 'picture';

export interface Problem {
  /** Where it is said. */
  place: Place;
  code: string;
  words: string;
  /** The server's own word to a person; empty if ours says it all. */
  hint: string;
}

/** Codes whose hint would only repeat our words, or speaks to programmers. */
const NO_HINT = ['mail_taken', 'wrong_login', 'rate', 'unauthenticated', 'network', 'session_running', 'same_hero', 'erasing', 'login_again', 'too_late', 'read_only', 'timeout', 'busy', 'guest', 'unknown_guest', 'quarantined', 'not_found', 'not_configured'];

const WORDS: Record<string, [Place, string]> = {
  malformed: ['form', 'The server did not take this as it is.'],
  weak_password: ['password', 'This password would be guessed too soon.'],
  mail_taken: ['mail', 'There is an account with this mail already. Log in, and this hero can join it.'],
  hero_taken: ['form', 'This hero has an account already. Log in to it.'],
  wrong_login: ['password', 'Mail and password do not belong together.'],
  code: ['form', 'This link was used already, or is too old. Ask for a new one.'],
  unauthenticated: ['form', 'This login has ended. Log in once more.'],
  session_running: ['form', 'A session is running on one of the two heroes. When it has ended, they can come together.'],
  same_hero: ['form', 'These two are one hero already.'],
  already_claimed: ['form', 'The hero of this device belongs to an account already.'],
  too_many_claims: ['form', 'That is as many heroes as can come together in a short time. Later works.'],
  too_large: ['form', 'This is more than the server takes.'],
  erasing: ['form', 'This hero is hidden, because you asked to delete it. Keep it after all, and this works again.'],
  login_again: ['form', 'There is no password to ask for, so log out, log in again, and delete the hero within five minutes.'],
  too_late: ['form', 'The thirty days are over, and this hero is being erased.'],
  guest: ['form', 'Only an account can do this.'],
  busy: ['form', 'The server has its hands full right now. Try again in a moment; nothing happens twice.'],
  unknown_guest: ['form', 'The key of the hero on this device is no longer good, so it cannot be brought over from here.'],
  quarantined: ['form', 'One of the heroes is being looked after. Nothing is lost; try again later.'],
  not_configured: ['form', 'This server does not offer that.'],
  not_found: ['form', 'This server does not offer that.'],
  read_only: ['form', 'The server cannot save for the moment. Try again soon; nothing is lost.'],
  timeout: ['form', 'The server took too long. Try again.'],
  network: ['form', 'The server does not answer right now. What you wrote is still here; try again.'],
};

/** `special` are words of a form that knows better what a code means there. */
export function problemOf(error: unknown, special: Readonly<Record<string, string>> = {}): Problem {
  const problem = error instanceof ApiError ? made(error.code, error.hint, error.retryAfterS) : made('network', '', null);
  return { ...problem, words: special[problem.code] ?? problem.words };
}

function made(code: string, hint: string, retryAfterS: number | null): Problem {
  if (code === 'rate') return { place: 'form', code, words: rateWords(retryAfterS), hint: '' };
  const [place, words] = WORDS[code] ?? ['form', 'That did not work.'];
  return { place, code, words, hint: NO_HINT.includes(code) ? '' : sentence(hint) };
}

function rateWords(retryAfterS: number | null): string {
  if (retryAfterS === null) return 'That was often in a short time. Wait a little, then try again.';
  const wait = retryAfterS < 90 ? `${Math.max(1, retryAfterS)} seconds` : `${Math.ceil(retryAfterS / 60)} minutes`;
  return `That was often in a short time. It works again in ${wait}.`;
}

/** The server's hints begin small and end without a full stop. */
function sentence(hint: string): string {
  if (hint === '') return '';
  const begun = hint.charAt(0).toUpperCase() + hint.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
