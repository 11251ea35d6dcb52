/** What the server's events mean in a few words. Kinds and causes that are not known here are left out. */

import type { Event } from '@dopamine-hero/sdk';
import { price } from '../format';

const CAUSES: Record<string, string> = {
  ignition: 'ignition',
  completion: 'plan completed',
  comeback: 'you came back',
  break: 'a break taken',
  break_taken: 'a break taken',
  daily_goal: 'daily goal',
  goal: 'daily goal',
  task: 'task done',
  achievement: 'achievement',
  welcome_back: 'welcome back',
  focus: 'focus',
  refund: 'back',
  sale: 'sold',
  correction: 'from the team',
};

export function causeWords(cause: string | null): string {
  if (cause === null) return 'focus';
  return CAUSES[cause] ?? cause.replaceAll('_', ' ');
}

/** The team changed the balances. */
const CORRECTED = 'balance_corrected';

/** Big moments, and what the session's last page adds up: a toast in between would say it twice, or too early. */
const TOLD_AT_THE_END: readonly string[] = ['achievement', 'focus', 'completion'];

/** For a toast; nothing if nothing was gained, or if the end of the session tells it. */
export function gainWords(event: Event, hasEndPage: boolean): string | null {
  if (event.energy_me <= 0 || event.kind === CORRECTED) return null;
  if (hasEndPage && TOLD_AT_THE_END.includes(event.cause ?? 'focus')) return null;
  return `+${price(event.energy_me)} E · ${causeWords(event.cause)}`;
}

/** What the team did to the balances, and why; nothing for any other event. */
export function teamWords(event: Event): string | null {
  if (event.kind !== CORRECTED) return null;
  const changes = [
    { thousandths: event.energy_me, unit: 'E' },
    { thousandths: event.dopamine_md, unit: 'D' },
  ];
  const part = (isGiven: boolean) => {
    const some = changes.filter(({ thousandths }) => (isGiven ? thousandths > 0 : thousandths < 0));
    return some.map(({ thousandths, unit }) => `${price(Math.abs(thousandths))} ${unit}`).join(' and ');
  };
  const [given, taken] = [part(true), part(false)];
  const did = [given === '' ? '' : `gave you ${given}`, taken === '' ? '' : `took ${taken} back`];
  const why = event.note === undefined ? '' : ` “${event.note}”`;
  return `The team ${did.filter((words) => words !== '').join(' and ')}.${why}`;
}

export interface Line {
  words: string;
  energy_me: number;
  dopamine_md: number;
}

/** One line a cause, in the order in which they came. */
export function gainLines(events: readonly Event[]): Line[] {
  const lines = new Map<string, Line>();
  for (const event of events) {
    if (event.energy_me <= 0 && event.dopamine_md <= 0) continue;
    const words = causeWords(event.cause);
    const line = lines.get(words) ?? { words, energy_me: 0, dopamine_md: 0 };
    line.energy_me += Math.max(0, event.energy_me);
    line.dopamine_md += Math.max(0, event.dopamine_md);
    lines.set(words, line);
  }
  return [...lines.values()];
}
