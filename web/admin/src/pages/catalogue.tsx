/** The game's numbers: which version is in force, and the way to another one and back. */

import type { CatalogueSwitch, CatalogueVersion, CatalogueVersions } from '../api.gen';
import { useApi } from '../context';
import { useLoaded } from '../loaded';
import { Chip } from '../parts/chip';
import { Effect } from '../parts/effect';
import { Page, Panel } from '../parts/page';
import { Shown } from '../parts/problem';
import { Table } from '../parts/table';
import { Time } from '../parts/time';
import { hrefOf } from '../router';

export function CataloguePage() {
  const loaded = useLoaded<CatalogueVersions>('/v1/catalogue');
  return (
    <Page
      title="Catalogue"
      about="Every number of the game. A new version is uploaded, tried over the heroes that are here, and then put in force between two ticks."
      actions={
        <a className="button primary" href={hrefOf({ page: 'upload' })}>
          Upload a version
        </a>
      }
    >
      <Shown of={loaded} what="versions">
        {(known) => (
          <>
            <RollBack known={known} onDone={loaded.reload} />
            <Panel title="Versions">
              <Versions known={known} onDone={loaded.reload} />
            </Panel>
          </>
        )}
      </Shown>
    </Page>
  );
}

function Versions({ known, onDone }: { known: CatalogueVersions; onDone: () => void }) {
  return (
    <Table
      caption="Versions of the catalogue"
      rows={known.versions}
      keyOf={(one) => one.version}
      isMarked={(one) => one.version === known.in_force}
      empty="There is none, which cannot be."
      columns={[
        { name: 'Version', isHead: true, cell: (one) => one.version },
        { name: 'State', cell: (one) => (one.version === known.in_force ? <Chip tone="good">in force</Chip> : 'kept') },
        { name: 'In force since', cell: (one) => <Time ms={one.in_force_since_ms} /> },
        { name: 'Came', cell: (one) => (one.uploaded_at_ms === null ? 'with the program' : <Time ms={one.uploaded_at_ms} />) },
        { name: 'From', cell: (one) => one.uploaded_by ?? '' },
        {
          name: 'Do',
          cell: (one) => (
            <span className="row-actions">
              <a className="button small" href={hrefOf({ page: 'version', version: one.version, view: 'text' })}>
                Text
              </a>
              {one.version !== known.in_force && (
                <>
                  <a className="button small" href={hrefOf({ page: 'version', version: one.version, view: 'dry-run' })}>
                    Dry run
                  </a>
                  <Switch inForce={known.in_force} version={one.version} onDone={onDone} />
                </>
              )}
            </span>
          ),
        },
      ]}
    />
  );
}

/** The version that was in force before: the newest one below it, or by when it last was. */
export function previousOf(known: CatalogueVersions): CatalogueVersion | null {
  const others = known.versions.filter((one) => one.version !== known.in_force);
  const used = others.filter((one) => one.in_force_since_ms !== null);
  const latest = used.reduce<CatalogueVersion | null>((best, one) => (best === null || (one.in_force_since_ms ?? 0) > (best.in_force_since_ms ?? 0) ? one : best), null);
  return latest ?? others.filter((one) => one.version < known.in_force).reduce<CatalogueVersion | null>((best, one) => (best === null || one.version > best.version ? one : best), null);
}

function RollBack({ known, onDone }: { known: CatalogueVersions; onDone: () => void }) {
  const previous = previousOf(known);
  return (
    <Panel
      title={`Version ${known.in_force} is in force`}
      actions={previous !== null && <Switch inForce={known.in_force} version={previous.version} label={`Roll back to ${previous.version}`} onDone={onDone} />}
    >
      <p className="quiet">{previous === null ? 'There is no other version to go back to.' : `The way back: version ${previous.version}${previous.in_force_since_ms === null ? '' : ', which was in force before'}.`}</p>
    </Panel>
  );
}

interface SwitchProps {
  inForce: number;
  version: number;
  label?: string;
  onDone: () => void;
}

export function Switch({ inForce, version, label = 'Put in force', onDone }: SwitchProps) {
  const api = useApi();
  return (
    <Effect
      label={label}
      {...(label === 'Put in force' ? { name: `Put version ${version} in force` } : {})}
      needs="owner"
      tone="danger"
      title={`Put version ${version} in force instead of ${inForce}?`}
      says={
        <>
          <p>
            Version <strong>{inForce}</strong> is in force now. Between two ticks, every server changes to version <strong>{version}</strong>, for every hero. Nobody is disconnected, and nothing that already happened changes: what was earned stays earned.
          </p>
          <p>If somebody else switched since you looked, it is refused. You can go back at any time.</p>
        </>
      }
      confirm={`Switch from ${inForce} to ${version}`}
      run={async (reason) => {
        const ask: CatalogueSwitch = { reason, in_force: inForce, version };
        await api.post('/v1/catalogue/switch', ask);
        return `Version ${version} is in force.`;
      }}
      onDone={onDone}
    />
  );
}
