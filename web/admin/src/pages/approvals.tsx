/** What waits for a second person. Whoever asked cannot agree. */

import type { Approval, ApprovalDecision } from '../api.gen';
import { useApi, usePanel } from '../context';
import { useLoaded } from '../loaded';
import { Changes } from '../parts/amount';
import { Chip, type Tone } from '../parts/chip';
import { Effect } from '../parts/effect';
import { Page, Panel } from '../parts/page';
import { Shown } from '../parts/problem';
import { Table } from '../parts/table';
import { Time } from '../parts/time';
import { hrefOf } from '../router';

export function ApprovalsPage() {
  const loaded = useLoaded<Approval[]>('/v1/approvals');
  return (
    <Page
      title="Approvals"
      about="Corrections above the limit wait here for a second operator, for seven days."
      actions={
        <button type="button" aria-disabled={loaded.isLoading} onClick={loaded.reload}>
          {loaded.isLoading ? 'Loading…' : 'Look again'}
        </button>
      }
    >
      <Shown of={loaded} what="approvals">
        {(approvals) => {
          const open = approvals.filter(isOpen);
          return (
            <>
              <Panel title="Open">
                {open.length === 0 && <p className="quiet">Nothing waits.</p>}
                <ul className="cards">
                  {open.map((approval) => (
                    <OpenApproval key={approval.id} approval={approval} onDone={loaded.reload} />
                  ))}
                </ul>
              </Panel>
              <Panel title="Decided">
                <Decided approvals={approvals.filter((approval) => !isOpen(approval))} />
              </Panel>
            </>
          );
        }}
      </Shown>
    </Page>
  );
}

/** One that was agreed to and could not be carried out may be agreed to again; it happens once. */
function isOpen(approval: Approval): boolean {
  return approval.state === 'open' || (approval.state === 'approved' && !approval.is_done);
}

function OpenApproval({ approval, onDone }: { approval: Approval; onDone: () => void }) {
  const api = useApi();
  const { name } = usePanel().session;
  const own = approval.requested_by === name ? 'You asked for it yourself: somebody else has to decide.' : null;
  const decide = async (isApproved: boolean) => {
    const ask: ApprovalDecision = { is_approved: isApproved };
    const { body } = await api.post<Approval>(`/v1/approvals/${approval.id}`, ask);
    return body.state === 'approved' ? `Approval ${approval.id}: agreed, and the balances are corrected.` : `Approval ${approval.id}: ${body.state}.`;
  };
  const { energy_me, dopamine_md, reverts } = approval.correction;
  return (
    <li className="card" aria-label={`Approval ${approval.id}`}>
      <p className="card-title">
        <Changes energy={energy_me} dopamine={dopamine_md} />
        {reverts !== null && <span className="quiet"> takes back event {reverts}</span>}
      </p>
      <p>
        for <a href={hrefOf({ page: 'player', hero: approval.hero_id, tab: 'balance', seq: null })}>hero {approval.hero_id}</a>
      </p>
      <p>“{approval.reason}”</p>
      <p className="quiet">
        Asked for by {approval.requested_by}, <Time ms={approval.requested_at_ms} as="relative" />. Number {approval.id}.
      </p>
      {approval.state === 'approved' && <p className="notice" data-tone="watch">{approval.decided_by} agreed, and it could not be carried out yet. Agree again to try again; it happens once.</p>}
      {own !== null && <p className="quiet">{own}</p>}
      <div className="dialog-actions">
        <Effect
          label="Refuse"
          name={`Refuse approval ${approval.id}`}
          needs="operator"
          off={own}
          asksReason={false}
          title="Refuse it?"
          says={<p>Nothing changes for the player. {approval.requested_by} sees that you refused; the reason that was given stays in the audit log.</p>}
          confirm="Refuse"
          run={() => decide(false)}
          onDone={onDone}
        />
        <Effect
          label="Agree"
          name={`Agree to approval ${approval.id}`}
          tone="primary"
          needs="operator"
          off={own}
          asksReason={false}
          title="Agree to it?"
          says={
            <p>
              The hero’s balances change by <Changes energy={energy_me} dopamine={dopamine_md} /> at once. The journal names {approval.requested_by}, the audit log both of you.
            </p>
          }
          confirm="Agree"
          run={() => decide(true)}
          onDone={onDone}
        />
      </div>
    </li>
  );
}

const STATE: Readonly<Record<Approval['state'], Tone>> = { open: 'watch', approved: 'good', refused: 'bad', expired: 'plain' };

function Decided({ approvals }: { approvals: readonly Approval[] }) {
  return (
    <Table
      caption="Decided approvals"
      rows={approvals}
      keyOf={(approval) => approval.id}
      empty="None yet."
      columns={[
        { name: 'Number', isHead: true, cell: (approval) => approval.id },
        { name: 'State', cell: (approval) => <Chip tone={STATE[approval.state]}>{approval.state}</Chip> },
        { name: 'Change', cell: (approval) => <Changes energy={approval.correction.energy_me} dopamine={approval.correction.dopamine_md} /> },
        { name: 'Hero', cell: (approval) => <a href={hrefOf({ page: 'player', hero: approval.hero_id, tab: 'balance', seq: null })}>{approval.hero_id.slice(0, 8)}</a> },
        { name: 'Reason', cell: (approval) => approval.reason },
        { name: 'Asked by', cell: (approval) => approval.requested_by },
        { name: 'Decided by', cell: (approval) => approval.decided_by ?? '' },
        { name: 'When', cell: (approval) => <Time ms={approval.decided_at_ms} /> },
      ]}
    />
  );
}
