/** What an operator can do for or to a player. */

import type { Hero } from '@dopamine-hero/sdk';
import { useState } from 'react';
import type { Approval, BanAsk, Correction, EraseAsk, Player } from '../api.gen';
import { useApi, useRole } from '../context';
import { amountWords, correct, limitWords, needsSecond } from '../corrections';
import { parseAmount } from '../format';
import { useLoaded } from '../loaded';
import { saveFile } from '../parts/copy';
import { CorrectionSays, Preview } from '../parts/correction-says';
import { Effect } from '../parts/effect';
import { Field } from '../parts/field';
import { Panel } from '../parts/page';
import { Problem } from '../parts/problem';
import { Time } from '../parts/time';
import { mayDo } from '../roles';
import { hrefOf } from '../router';
import { CloseSocket } from './player-devices';

interface ActionsProps {
  player: Player;
  onChanged: () => void;
}

export function ActionsTab({ player, onChanged }: ActionsProps) {
  return (
    <>
      <CorrectionPanel player={player} onChanged={onChanged} />
      <div className="columns">
        <Panel title="Connections" about="Closed connections come back by themselves.">
          <CloseSocket player={player} socket={null} onChanged={onChanged} />
        </Panel>
        <ExportPanel player={player} />
        <BanPanel player={player} onChanged={onChanged} />
        <ErasePanel player={player} onChanged={onChanged} />
      </div>
    </>
  );
}

function CorrectionPanel({ player, onChanged }: ActionsProps) {
  const api = useApi();
  const isOperator = mayDo(useRole(), 'operator');
  const [energy, setEnergy] = useState('');
  const [dopamine, setDopamine] = useState('');
  const limit = useLoaded<Correction>('/v1/corrections/limit');
  const approvals = useLoaded<Approval[]>(isOperator ? '/v1/approvals' : null);
  const hero = player.hero as Hero | null;
  const energyMe = energy.trim() === '' ? 0 : parseAmount(energy);
  const dopamineMd = dopamine.trim() === '' ? 0 : parseAmount(dopamine);
  const wish = { energy_me: energyMe ?? 0, dopamine_md: dopamineMd ?? 0 };
  const isSecond = limit.data !== null && needsSecond(wish, limit.data);
  const off = energyMe === null || dopamineMd === null ? 'An amount is not one.' : wish.energy_me === 0 && wish.dopamine_md === 0 ? 'Say by how much first.' : null;
  const done = () => {
    setEnergy('');
    setDopamine('');
    onChanged();
    approvals.reload();
  };
  return (
    <Panel title="Correct the balances" about={limit.data === null ? 'Grants with plus, takes with minus.' : `Grants with plus, takes with minus. ${limitWords(limit.data)}`}>
      <Problem problem={limit.problem} onRetry={limit.reload} />
      <Waiting approvals={(approvals.data ?? []).filter((one) => one.hero_id === player.row.hero_id && one.state === 'open')} />
      <div className="line-up">
        <AmountField label="Energy" value={energy} isWrong={energyMe === null} onChange={setEnergy} />
        <AmountField label="Dopamine" value={dopamine} isWrong={dopamineMd === null} onChange={setDopamine} />
        {hero !== null && <Preview wish={wish} wallet={hero.wallet} />}
      </div>
      <Effect
        label={isSecond ? 'Ask a second person…' : 'Correct…'}
        tone="primary"
        needs="operator"
        off={off}
        title="Correct the balances?"
        says={<CorrectionSays wish={wish} wallet={hero === null ? null : hero.wallet} limit={limit.data} />}
        confirm={isSecond ? 'Ask for it' : 'Correct'}
        run={(reason) => correct(api, player.row.hero_id, { reason, ...wish, reverts: null })}
        onDone={done}
      />
    </Panel>
  );
}

function AmountField({ label, value, isWrong, onChange }: { label: string; value: string; isWrong: boolean; onChange: (value: string) => void }) {
  return (
    <Field
      label={label}
      inputMode="decimal"
      placeholder="+12.5"
      maxLength={20}
      value={value}
      aria-invalid={isWrong}
      onChange={onChange}
      hint={isWrong ? 'Not an amount: digits, at most three after the point, with plus or minus.' : 'At most three digits after the point'}
    />
  );
}

function Waiting({ approvals }: { approvals: readonly Approval[] }) {
  if (approvals.length === 0) return null;
  return (
    <ul className="waiting-list">
      {approvals.map((approval) => (
        <li key={approval.id} className="notice" data-tone="watch">
          A second person must agree: {amountWords(approval.correction)}, asked for by {approval.requested_by} <Time ms={approval.requested_at_ms} as="relative" />. <a href={hrefOf({ page: 'approvals' })}>To the approvals</a>
        </li>
      ))}
    </ul>
  );
}

function ExportPanel({ player }: { player: Player }) {
  const api = useApi();
  const hero = player.row.hero_id;
  return (
    <Panel title="Export" about="Everything that is kept about this player, as one JSON file.">
      <Effect
        label="Export…"
        needs="support"
        title="Export everything about this player?"
        says={<p>A file with everything that is kept about this player is saved on your machine. It holds personal data: hand it to nobody but that player, and delete it afterwards.</p>}
        confirm="Export"
        run={async (reason) => {
          saveFile(await api.download(`/v1/players/${hero}/export`, { reason }), `hero-${hero}.json`);
          return 'The file is on its way to your downloads.';
        }}
      />
    </Panel>
  );
}

function BanPanel({ player, onChanged }: ActionsProps) {
  const api = useApi();
  const isBanned = player.row.kind === 'banned' || (player.account?.banned_at_ms ?? null) !== null;
  const ban = async (reason: string) => {
    const ask: BanAsk = { reason, is_banned: !isBanned };
    await api.post(`/v1/players/${player.row.hero_id}/ban`, ask);
    return isBanned ? 'The player may log in again.' : 'The player is banned; its connections close within five seconds.';
  };
  return (
    <Panel title="Ban" about={isBanned ? 'This player may not log in.' : 'Keeps a player out. Nothing of the hero is changed.'}>
      {isBanned ? (
        <Effect label="Lift the ban…" needs="operator" title="Lift the ban?" says={<p>The player may log in again, with everything as it was.</p>} confirm="Lift the ban" run={ban} onDone={onChanged} />
      ) : (
        <Effect
          label="Ban…"
          tone="danger"
          needs="operator"
          title="Ban this player?"
          says={<p>Its connections are closed within five seconds on every server, and it can no longer log in. The hero stays as it is. You can lift the ban at any time.</p>}
          confirm="Ban"
          run={ban}
          onDone={onChanged}
        />
      )}
    </Panel>
  );
}

function ErasePanel({ player, onChanged }: ActionsProps) {
  const api = useApi();
  const isGuest = player.account === null;
  const isErasing = player.row.kind === 'erasing' || (player.account?.erase_at_ms ?? null) !== null;
  const erase = async (reason: string) => {
    const ask: EraseAsk = { reason, is_wanted: !isErasing };
    await api.post(`/v1/players/${player.row.hero_id}/erase`, ask);
    return isErasing ? 'The player stays.' : isGuest ? 'The guest is erased.' : 'The player will be erased in thirty days.';
  };
  return (
    <Panel title="Erase" about={isErasing ? isGuest ? 'This guest is being erased.' : <>Will be erased <Time ms={player.account?.erase_at_ms ?? null} as="relative" />.</> : 'For a player who asks for it and cannot do it alone.'}>
      {isErasing ? (
        <Effect label="Keep it after all…" needs="operator" off={isGuest ? 'A guest is erased at once: that cannot be taken back.' : null} title="Keep this player after all?" says={<p>The player is not erased and may log in again.</p>} confirm="Keep it" run={erase} onDone={onChanged} />
      ) : (
        <Effect
          label="Erase…"
          tone="danger"
          needs="operator"
          off={player.row.kind === 'unknown' ? 'This hero is nobody’s any more.' : null}
          title="Erase this player?"
          says={
            isGuest ? (
              <p>A guest is erased at once and for good: nobody can bring it back. What it wrote becomes unreadable, its tokens are void.</p>
            ) : (
              <p>The account is hidden now and erased in thirty days, for good. Until then you, or the player, can take that back. All its devices are logged out.</p>
            )
          }
          typed="erase"
          confirm="Erase"
          run={erase}
          onDone={onChanged}
        />
      )}
    </Panel>
  );
}
