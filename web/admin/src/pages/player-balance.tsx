/** Why a balance is what it is: what each cause added up to, and the last changes with what stood after them. */

import type { Balance, BalanceLine, CauseSum } from '../api.gen';
import { count, words } from '../format';
import { useLoaded } from '../loaded';
import { Amount, Change } from '../parts/amount';
import { TwoWayBar } from '../parts/bars';
import { Panel } from '../parts/page';
import { Shown } from '../parts/problem';
import { Table } from '../parts/table';
import { Time } from '../parts/time';
import { hrefOf } from '../router';

export function BalanceTab({ hero, lastSeq }: { hero: string; lastSeq: number }) {
  // A new event is a new balance.
  const loaded = useLoaded<Balance>(`/v1/players/${hero}/balance`, { again: lastSeq });
  return (
    <Shown of={loaded} what="the balance">
      {(balance) => (
        <>
          <Panel title="Why is this balance what it is?">
            <p className="answer">
              <Amount of="energy" value={balance.energy_me} /> and <Amount of="dopamine" value={balance.dopamine_md} />
            </p>
            {balance.adds_up ? (
              <p className="quiet">Every change in the journal, added up by its cause. The sum is what the hero has.</p>
            ) : (
              <p className="notice" data-tone="bad" role="alert">
                The changes do not add up to what the hero has. Something is wrong: <code>dopamine-hero verify</code> says what.
              </p>
            )}
            <Causes causes={balance.causes} />
          </Panel>
          <Panel title="The last changes" about={balance.lines.length === 100 ? 'The last 100, newest first. The timeline has all.' : 'Newest first.'}>
            <Lines lines={balance.lines} hero={hero} />
          </Panel>
        </>
      )}
    </Shown>
  );
}

function Causes({ causes }: { causes: readonly CauseSum[] }) {
  const energyMost = Math.max(0, ...causes.map((cause) => Math.abs(cause.energy_me)));
  const dopamineMost = Math.max(0, ...causes.map((cause) => Math.abs(cause.dopamine_md)));
  return (
    <Table
      caption="Sums by cause"
      rows={causes}
      keyOf={(cause) => cause.cause}
      empty="Nothing ever changed a balance."
      columns={[
        { name: 'Cause', isHead: true, cell: (cause) => words(cause.cause) },
        { name: 'Times', isNumber: true, cell: (cause) => count(cause.count) },
        { name: 'Energy', isNumber: true, cell: (cause) => <Change of="energy" value={cause.energy_me} /> },
        { name: 'Energy, to scale', cell: (cause) => <TwoWayBar value={cause.energy_me} most={energyMost} /> },
        { name: 'Dopamine', isNumber: true, cell: (cause) => <Change of="dopamine" value={cause.dopamine_md} /> },
        { name: 'Dopamine, to scale', cell: (cause) => <TwoWayBar value={cause.dopamine_md} most={dopamineMost} /> },
      ]}
    />
  );
}

function Lines({ lines, hero }: { lines: readonly BalanceLine[]; hero: string }) {
  return (
    <Table
      caption="Changes"
      rows={lines}
      keyOf={(line) => line.seq}
      empty="Nothing ever changed a balance."
      columns={[
        { name: 'Seq', isHead: true, cell: (line) => <a href={hrefOf({ page: 'player', hero, tab: 'timeline', seq: line.seq })}>{line.seq}</a> },
        { name: 'When', cell: (line) => <Time ms={line.at_ms} /> },
        { name: 'Why', cell: (line) => [words(line.cause ?? line.kind), line.subject ?? ''].filter((part) => part !== '').join(' · ') },
        { name: 'Energy', isNumber: true, cell: (line) => <Change of="energy" value={line.energy_me} /> },
        { name: 'then', isNumber: true, cell: (line) => <Amount of="energy" value={line.energy_balance_me} /> },
        { name: 'Dopamine', isNumber: true, cell: (line) => <Change of="dopamine" value={line.dopamine_md} /> },
        { name: 'then ', isNumber: true, cell: (line) => <Amount of="dopamine" value={line.dopamine_balance_md} /> },
      ]}
    />
  );
}
