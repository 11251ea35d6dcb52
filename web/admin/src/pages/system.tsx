/** This server and its neighbours: what runs, how it is set, what players are told, and how to stop it. */

import { useState } from 'react';
import type { ReasonAsk, Setting, System } from '../api.gen';
import { useApi, useLive } from '../context';
import { count } from '../format';
import { useLoaded } from '../loaded';
import { Chip } from '../parts/chip';
import { Effect } from '../parts/effect';
import { Field } from '../parts/field';
import { Page, Panel } from '../parts/page';
import { Shown } from '../parts/problem';
import { Facts, Table } from '../parts/table';
import { Time } from '../parts/time';
import { BannerPanel } from './system-banner';

export function SystemPage() {
  const loaded = useLoaded<System>('/v1/system');
  return (
    <Page title="System" about="What runs here, how it is set, and what all players are told.">
      <Shown of={loaded} what="the system">
        {(system) => (
          <>
            <Panel title="What runs">
              <Facts
                facts={[
                  ['Version', system.version],
                  ['Compiler', system.rust_version],
                  ['Database', system.database],
                  ['Environment', system.environment],
                ]}
              />
            </Panel>
            <BannerPanel banner={system.banner} onDone={loaded.reload} />
            <Nodes system={system} />
            <Drain system={system} onDone={loaded.reload} />
            <Settings settings={system.settings} />
            <Migrations system={system} />
          </>
        )}
      </Shown>
    </Page>
  );
}

function Nodes({ system }: { system: System }) {
  return (
    <Panel title="Servers that share the database">
      <Table
        caption="Servers"
        rows={system.nodes}
        keyOf={(node) => node.node_id}
        isMarked={(node) => node.is_this}
        empty="None is known: this server needs no lease."
        columns={[
          { name: 'Name', isHead: true, cell: (node) => (node.is_this ? `${node.name} (this one)` : node.name) },
          { name: 'State', cell: (node) => <Chip tone={node.is_alive ? 'good' : 'bad'}>{node.is_alive ? 'alive' : 'silent'}</Chip> },
          { name: 'Sockets', isNumber: true, cell: (node) => (node.connections === null ? 'not known' : count(node.connections)) },
          { name: 'Heroes', isNumber: true, cell: (node) => (node.heroes === null ? 'not known' : count(node.heroes)) },
          { name: 'Lease renewed', cell: (node) => <Time ms={node.renewed_at_ms} as="relative" /> },
          { name: 'Id', cell: (node) => <code>{node.node_id}</code> },
        ]}
      />
    </Panel>
  );
}

function Drain({ system, onDone }: { system: System; onDone: () => void }) {
  const api = useApi();
  const { overview } = useLive();
  const name = system.nodes.find((node) => node.is_this)?.name ?? overview?.node_name ?? 'this server';
  return (
    <Panel title="Drain this server" about="Sends everybody away and stops the process, as a deployment does. Whatever keeps it running may start it again.">
      <Effect
        label="Drain…"
        tone="danger"
        needs="owner"
        off={overview?.readiness === 'draining' ? 'It is draining already.' : null}
        title={`Drain ${name}?`}
        says={
          <>
            <p>
              {name} takes no new players, tells its {overview === null ? '' : `${count(overview.connections_open)} `}connections to come back later or elsewhere, saves everything and stops. This panel goes with it.
            </p>
            <p>Nothing is lost and running sessions run on. With one server only, nobody can play until it is started again.</p>
          </>
        }
        typed="drain"
        confirm="Drain it"
        run={async (reason) => {
          const ask: ReasonAsk = { reason };
          await api.post('/v1/drain', ask);
          return 'The server drains and stops.';
        }}
        onDone={onDone}
      />
    </Panel>
  );
}

function Settings({ settings }: { settings: readonly Setting[] }) {
  const [filter, setFilter] = useState('');
  const [isSetOnly, setSetOnly] = useState(false);
  const wanted = filter.trim().toLowerCase();
  const shown = settings.filter((one) => (!isSetOnly || !one.is_default) && (wanted === '' || `${one.name} ${one.meaning}`.toLowerCase().includes(wanted)));
  return (
    <Panel title="Settings in force" about="From the environment. Secrets are never shown: *** says that one is set.">
      <div className="line-up">
        <Field label="Filter" type="search" value={filter} onChange={setFilter} maxLength={60} />
        <label className="check">
          <input type="checkbox" checked={isSetOnly} onChange={(event) => setSetOnly(event.target.checked)} /> Only those that were set
        </label>
      </div>
      <Table
        caption="Settings"
        rows={shown}
        keyOf={(one) => one.name}
        empty="None fits."
        columns={[
          { name: 'Variable', isHead: true, cell: (one) => <code>{one.name}</code> },
          { name: 'Value', cell: (one) => (one.value === '' ? <span className="quiet">empty</span> : <code className="value">{one.value}</code>) },
          { name: 'From', cell: (one) => (one.is_default ? <span className="quiet">default</span> : <Chip tone="calm">set</Chip>) },
          { name: 'Meaning', cell: (one) => one.meaning },
        ]}
      />
    </Panel>
  );
}

function Migrations({ system }: { system: System }) {
  return (
    <Panel title="Migrations">
      <Table
        caption="Migrations"
        rows={system.migrations}
        keyOf={(one) => one.version}
        empty="None is known."
        columns={[
          { name: 'Number', isHead: true, cell: (one) => one.version },
          { name: 'What it does', cell: (one) => one.description },
          { name: 'State', cell: (one) => <Chip tone={one.is_applied ? 'good' : 'watch'}>{one.is_applied ? 'applied' : 'waits'}</Chip> },
        ]}
      />
    </Panel>
  );
}
