/** Who may use this panel, and how somebody else gets to. */

import { useState } from 'react';
import type { Invitation, InvitationAsk, Operator, OperatorChange, Role } from '../api.gen';
import { useApi, usePanel } from '../context';
import { useLoaded } from '../loaded';
import { Chip } from '../parts/chip';
import { Copy } from '../parts/copy';
import { Effect } from '../parts/effect';
import { Choice, Field, Form, Submit, useTask } from '../parts/field';
import { Page, Panel } from '../parts/page';
import { Problem, Shown } from '../parts/problem';
import { Table } from '../parts/table';
import { Time } from '../parts/time';
import { ROLE_WORDS, ROLES } from '../roles';

export function OperatorsPage() {
  const loaded = useLoaded<Operator[]>('/v1/operators');
  return (
    <Page title="Operators" about="Each has a password and an authenticator of its own. There is always at least one owner.">
      <Panel title="Operators">
        <Shown of={loaded} what="operators">
          {(operators) => <Operators operators={operators} onDone={loaded.reload} />}
        </Shown>
      </Panel>
      <Invite />
      <Panel title="What the roles may do" about="Each may do what those before it may.">
        <dl className="roles">
          {ROLES.map((role) => (
            <div key={role}>
              <dt>{role}</dt>
              <dd>{ROLE_WORDS[role]}</dd>
            </div>
          ))}
        </dl>
      </Panel>
    </Page>
  );
}

function Operators({ operators, onDone }: { operators: readonly Operator[]; onDone: () => void }) {
  const { name } = usePanel().session;
  return (
    <Table
      caption="Operators"
      rows={operators}
      keyOf={(one) => one.name}
      isMarked={(one) => one.name === name}
      empty="There is none, which cannot be."
      columns={[
        { name: 'Name', isHead: true, cell: (one) => (one.name === name ? `${one.name} (you)` : one.name) },
        { name: 'Role', cell: (one) => one.role },
        { name: 'State', cell: (one) => <Chip tone={one.is_disabled ? 'bad' : 'good'}>{one.is_disabled ? 'disabled' : 'may log in'}</Chip> },
        { name: 'Last login', cell: (one) => <Time ms={one.last_login_ms} as="relative" /> },
        { name: 'Since', cell: (one) => <Time ms={one.created_at_ms} /> },
        { name: 'Do', cell: (one) => <Change operator={one} isSelf={one.name === name} onDone={onDone} /> },
      ]}
    />
  );
}

function Change({ operator, isSelf, onDone }: { operator: Operator; isSelf: boolean; onDone: () => void }) {
  const api = useApi();
  const [role, setRole] = useState<Role>(operator.role);
  const change = (ask: OperatorChange) => api.post(`/v1/operators/${encodeURIComponent(operator.name)}`, ask);
  return (
    <span className="row-actions">
      <select aria-label={`Role of ${operator.name}`} value={role} onChange={(event) => setRole(event.target.value as Role)}>
        {ROLES.map((one) => (
          <option key={one}>{one}</option>
        ))}
      </select>
      <Effect
        label="Change role…"
        name={`Change the role of ${operator.name}`}
        needs="owner"
        off={role === operator.role ? 'Pick another role first.' : null}
        asksReason={false}
        title={`Make ${operator.name} ${role}?`}
        says={
          <p>
            {operator.name} is {operator.role} now. The role {role} {ROLE_WORDS[role]}.{isSelf ? ' That is you: you will have to log in again, and may not be able to change it back.' : ` ${operator.name} has to log in again.`}
          </p>
        }
        confirm={`Make ${role}`}
        run={async () => {
          await change({ role });
          return `${operator.name} is ${role}.`;
        }}
        onDone={onDone}
      />
      <Effect
        label={operator.is_disabled ? 'Let in again…' : 'Disable…'}
        name={operator.is_disabled ? `Let ${operator.name} in again` : `Disable ${operator.name}`}
        tone={operator.is_disabled ? 'plain' : 'danger'}
        needs="owner"
        asksReason={false}
        title={operator.is_disabled ? `Let ${operator.name} in again?` : `Disable ${operator.name}?`}
        says={
          <p>
            {operator.is_disabled
              ? `${operator.name} may log in again, with the password and authenticator as before.`
              : `${operator.name} is logged out at once and can no longer log in. What ${operator.name} did stays in the audit log.`}
            {isSelf ? ' That is you.' : ''}
          </p>
        }
        confirm={operator.is_disabled ? 'Let in again' : 'Disable'}
        run={async () => {
          await change({ is_disabled: !operator.is_disabled });
          return operator.is_disabled ? `${operator.name} may log in again.` : `${operator.name} is disabled.`;
        }}
        onDone={onDone}
      />
    </span>
  );
}

function Invite() {
  const api = useApi();
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('viewer');
  const [made, setMade] = useState<{ name: string; invitation: Invitation } | null>(null);
  const task = useTask();
  const submit = () =>
    task.run(async () => {
      const ask: InvitationAsk = { name: name.trim(), role };
      const { body } = await api.post<Invitation>('/v1/operators/invitations', ask);
      setMade({ name: ask.name, invitation: body });
      setName('');
    });
  return (
    <Panel title="Invite somebody" about="They get a token that is good once, choose a password of their own and add an authenticator.">
      <Form onSubmit={() => void submit()} className="line-up">
        <Field label="Name" value={name} onChange={setName} required maxLength={32} autoCapitalize="none" spellCheck={false} />
        <Choice label="Role" value={role} onChange={setRole} options={ROLES.map((one) => [one, one] as const)} />
        <div className="line-up-buttons">
          <Submit isBusy={task.isBusy}>Invite</Submit>
        </div>
      </Form>
      <Problem problem={task.problem} />
      {made !== null && (
        <div className="notice" data-testid="invitation" role="status">
          <p>
            For {made.name}, shown only now, good until <Time ms={made.invitation.expires_at_ms} />. Hand it over on a way that you trust.
          </p>
          <Copy text={made.invitation.token} name="token" />
        </div>
      )}
    </Panel>
  );
}
