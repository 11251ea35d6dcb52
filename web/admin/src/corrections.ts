/** Corrections: what one person may do alone, what the balances become, and how the server's two answers read. */

import type { Api } from './api';
import type { Approval, Corrected, Correction, CorrectionAsk } from './api.gen';
import { change, exact } from './format';

export interface Amounts {
  energy_me: number;
  dopamine_md: number;
}

/** Whether another operator has to agree. */
export function needsSecond(wish: Amounts, limit: Correction): boolean {
  return Math.abs(wish.energy_me) > limit.energy_me || Math.abs(wish.dopamine_md) > limit.dopamine_md;
}

export function limitWords(limit: Correction): string {
  return `One person alone may change up to ${exact(limit.energy_me)} E and ${exact(limit.dopamine_md)} D within a day; beyond that a second operator must agree.`;
}

export function amountWords({ energy_me, dopamine_md }: Amounts): string {
  const parts = [energy_me === 0 ? '' : `${change(energy_me)} E`, dopamine_md === 0 ? '' : `${change(dopamine_md)} D`].filter((part) => part !== '');
  return parts.length === 0 ? 'nothing' : parts.join(' and ');
}

function isCorrected(body: Corrected | Approval): body is Corrected {
  return 'seq' in body;
}

/** Sends it, and says what came of it. */
export async function correct(api: Api, hero: string, ask: CorrectionAsk): Promise<string> {
  const { body } = await api.post<Corrected | Approval>(`/v1/players/${hero}/corrections`, ask);
  if (isCorrected(body)) return `Done as event ${body.seq}: the hero has ${exact(body.energy_me)} E and ${exact(body.dopamine_md)} D now.`;
  return `Nothing has changed yet: approval ${body.id} waits for a second operator, for seven days.`;
}
