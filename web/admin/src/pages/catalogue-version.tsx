/** One version: its text, and what it would change. */

import type { CatalogueText, CatalogueVersions, DryRun } from '../api.gen';
import { count, many } from '../format';
import { useLoaded } from '../loaded';
import { Amount } from '../parts/amount';
import { Histogram } from '../parts/histogram';
import { Page, Panel } from '../parts/page';
import { Shown } from '../parts/problem';
import { Facts, Table } from '../parts/table';
import { type CatalogueView, hrefOf } from '../router';
import { Switch } from './catalogue';

export function VersionPage({ version, view }: { version: number; view: CatalogueView }) {
  return (
    <Page
      title={`Catalogue version ${version}`}
      actions={
        <a className="button" href={hrefOf({ page: 'catalogue' })}>
          All versions
        </a>
      }
    >
      <nav className="tabs" aria-label="About this version">
        <a href={hrefOf({ page: 'version', version, view: 'text' })} aria-current={view === 'text' ? 'page' : undefined}>
          Text
        </a>
        <a href={hrefOf({ page: 'version', version, view: 'dry-run' })} aria-current={view === 'dry-run' ? 'page' : undefined}>
          Dry run
        </a>
      </nav>
      {view === 'text' ? <TextView version={version} /> : <DryRunView version={version} />}
    </Page>
  );
}

function TextView({ version }: { version: number }) {
  const loaded = useLoaded<CatalogueText>(`/v1/catalogue/${version}`);
  return (
    <Panel title="Text" about="As it was uploaded. To change something, take it as the beginning of a new version.">
      <Shown of={loaded} what="the text">
        {({ text }) => <textarea className="code-block" readOnly rows={30} wrap="off" spellCheck={false} aria-label={`Text of version ${version}`} value={text} />}
      </Shown>
    </Panel>
  );
}

function DryRunView({ version }: { version: number }) {
  const loaded = useLoaded<DryRun>(`/v1/catalogue/${version}/dry-run`, { isLong: true });
  const versions = useLoaded<CatalogueVersions>('/v1/catalogue');
  return (
    <Shown of={loaded} what="the dry run">
      {(run) => (
        <>
          <Summary run={run} onAgain={loaded.reload} />
          {versions.data !== null && versions.data.in_force !== version && (
            <Panel title="Put it in force">
              <p className="quiet">The dry run changed nothing. It was compared with version {run.from}.</p>
              <Switch inForce={versions.data.in_force} version={version} onDone={versions.reload} />
            </Panel>
          )}
          <Panel title="Energy an hour of focus: how many heroes change by how much" about="In steps of 5 %, from −100 % to +100 %; what lies beyond stands in the first and last column.">
            <Histogram counts={run.histogram} />
          </Panel>
          <Panel title="What differs in the catalogue" about={run.changes.length >= 500 ? 'The first 500.' : undefined}>
            <Changes run={run} />
          </Panel>
          <Panel title="Heroes that change most" about={run.examples.length >= 100 ? 'The 100 largest changes.' : undefined}>
            <Examples run={run} />
          </Panel>
        </>
      )}
    </Shown>
  );
}

function Summary({ run, onAgain }: { run: DryRun; onAgain: () => void }) {
  return (
    <Panel
      title={`Version ${run.to} against ${run.from}`}
      actions={
        <button type="button" className="small" onClick={onAgain}>
          Run again
        </button>
      }
    >
      <Facts
        facts={[
          ['Looked at', `${many(run.heroes, 'hero', 'heroes')} in memory here`],
          ['Something changes for', count(run.heroes_changed)],
          ['Own what would be gone', count(run.heroes_broken)],
          ['Fields that differ', count(run.changes.length)],
        ]}
      />
      {run.heroes_broken > 0 && (
        <p className="notice" data-tone="bad" role="alert">
          {many(run.heroes_broken, 'hero', 'heroes')} own or build something that version {run.to} does not have. The switch is refused while there are any: keep those modules in the catalogue.
        </p>
      )}
    </Panel>
  );
}

function Changes({ run }: { run: DryRun }) {
  return (
    <Table
      caption="Fields that differ"
      rows={run.changes}
      keyOf={(change) => change.path}
      empty="Nothing differs."
      columns={[
        { name: 'Field', isHead: true, cell: (change) => <code>{change.path}</code> },
        { name: `Version ${run.from}`, cell: (change) => change.from ?? <span className="quiet">not there</span> },
        { name: `Version ${run.to}`, cell: (change) => change.to ?? <span className="quiet">gone</span> },
      ]}
    />
  );
}

function Examples({ run }: { run: DryRun }) {
  return (
    <Table
      caption="Heroes that change most"
      rows={run.examples}
      keyOf={(hero) => hero.hero_id}
      empty={run.heroes === 0 ? 'No hero is in memory here: nothing could be tried.' : 'Nothing changes for any hero.'}
      columns={[
        { name: 'Hero', isHead: true, cell: (hero) => <a href={hrefOf({ page: 'player', hero: hero.hero_id, tab: 'hero', seq: null })}>{hero.hero_id.slice(0, 8)}</a> },
        { name: 'An hour now', isNumber: true, cell: (hero) => <Amount of="energy" value={hero.energy_per_hour_from_me} /> },
        { name: 'An hour then', isNumber: true, cell: (hero) => <Amount of="energy" value={hero.energy_per_hour_to_me} /> },
        { name: 'Notes', cell: (hero) => hero.notes.join('; ') },
      ]}
    />
  );
}
