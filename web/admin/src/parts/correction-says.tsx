/** What a correction will do, in the words of its dialog. */

import type { Correction } from '../api.gen';
import { type Amounts, limitWords, needsSecond } from '../corrections';
import { Amount, Change, Changes } from './amount';

interface SaysProps {
  wish: Amounts;
  /** The balances now; nothing when the hero cannot be read. */
  wallet: Amounts | null;
  limit: Correction | null;
}

export function CorrectionSays({ wish, wallet, limit }: SaysProps) {
  return (
    <>
      <p>
        The hero’s balances change by <Changes energy={wish.energy_me} dopamine={wish.dopamine_md} />. It becomes an event of its own in the journal, with your name and reason, and it is never removed; it can be taken back by another one.
      </p>
      {wallet !== null && <Preview wish={wish} wallet={wallet} />}
      {limit !== null && (needsSecond(wish, limit) ? <p className="notice" data-tone="watch">A second person must agree before anything changes. {limitWords(limit)}</p> : <p className="quiet">{limitWords(limit)}</p>)}
    </>
  );
}

export function Preview({ wish, wallet }: { wish: Amounts; wallet: Amounts }) {
  const energy = wallet.energy_me + wish.energy_me;
  const dopamine = wallet.dopamine_md + wish.dopamine_md;
  return (
    <div className="preview" data-testid="preview">
      <dl>
        <Row name="Energy" of="energy" now={wallet.energy_me} by={wish.energy_me} then={energy} />
        <Row name="Dopamine" of="dopamine" now={wallet.dopamine_md} by={wish.dopamine_md} then={dopamine} />
      </dl>
      {(energy < 0 || dopamine < 0) && <p className="notice" data-tone="bad">More would be taken than there is. A balance cannot be below zero.</p>}
    </div>
  );
}

function Row({ name, of, now, by, then }: { name: string; of: 'energy' | 'dopamine'; now: number; by: number; then: number }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <Amount of={of} value={now} /> <Change of={of} value={by} /> → <strong data-below={then < 0}><Amount of={of} value={then} /></strong>
      </dd>
    </div>
  );
}
