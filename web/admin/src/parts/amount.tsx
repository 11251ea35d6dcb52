/** Amounts: colour says what it is, the unit and the sign say it too. */

import { change, exact, NOTHING } from '../format';

type Kind = 'energy' | 'dopamine';
const UNIT: Readonly<Record<Kind, string>> = { energy: 'E', dopamine: 'D' };

export function Amount({ of, value }: { of: Kind; value: number }) {
  return (
    <span className={`amount ${of}`}>
      {exact(value)} {UNIT[of]}
    </span>
  );
}

/** With its sign; a dash for no change. */
export function Change({ of, value }: { of: Kind; value: number }) {
  if (value === 0) return <span className="amount none">{NOTHING}</span>;
  return (
    <span className="amount" data-sign={value > 0 ? 'plus' : 'minus'}>
      {change(value)} {UNIT[of]}
    </span>
  );
}

/** Both, for a sentence. */
export function Changes({ energy, dopamine }: { energy: number; dopamine: number }) {
  if (energy === 0 && dopamine === 0) return <>nothing</>;
  return (
    <>
      {energy !== 0 && <Change of="energy" value={energy} />}
      {energy !== 0 && dopamine !== 0 && ' and '}
      {dopamine !== 0 && <Change of="dopamine" value={dopamine} />}
    </>
  );
}
