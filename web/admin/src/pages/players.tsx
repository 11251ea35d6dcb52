/** Players are found by the beginning of a name, by a whole mail address, or by an id. */

import { useState } from 'react';
import type { PlayerPage as Answer } from '../api.gen';
import { useApi } from '../context';
import { kindOf, nameOf, type Search } from '../players';
import { Chip } from '../parts/chip';
import { Field, Form, Submit, useTask } from '../parts/field';
import { Page, Panel } from '../parts/page';
import { Problem } from '../parts/problem';
import { Table } from '../parts/table';
import { Time } from '../parts/time';
import { useSearch } from '../search';
import { hrefOf } from '../router';

/** The search goes in the address of a request, which is no log's: the listener logs routes without what follows the ?. */
function pathOf(query: string, after: string | null): string {
  const from = after === null ? '' : `&after=${encodeURIComponent(after)}`;
  return `/v1/players?query=${encodeURIComponent(query)}${from}`;
}

export function PlayersPage() {
  const api = useApi();
  const [kept, setKept] = useSearch();
  const [query, setQuery] = useState(kept?.query ?? '');
  const task = useTask();
  const more = useTask();
  const find = () =>
    task.run(async () => {
      const wanted = query.trim();
      const answer = await api.get<Answer>(pathOf(wanted, null));
      setKept({ query: wanted, rows: answer.players, next: answer.next });
    });
  const findMore = (search: Search, next: string) =>
    more.run(async () => {
      const answer = await api.get<Answer>(pathOf(search.query, next));
      setKept({ ...search, rows: [...search.rows, ...answer.players], next: answer.next });
    });
  const next = kept?.next ?? null;
  return (
    <Page title="Players" about="Find one by the beginning of its name, by its whole mail address, or by the id of hero or account.">
      <Panel>
        <Form onSubmit={() => void find()} className="search" >
          <Field label="Name, mail or id" type="search" value={query} onChange={setQuery} maxLength={254} autoCapitalize="none" spellCheck={false} autoFocus />
          <Submit isBusy={task.isBusy}>Search</Submit>
        </Form>
        <Problem problem={task.problem} />
        {kept !== null && <Found search={kept} />}
        <Problem problem={more.problem} />
        {kept !== null && next !== null && (
          <button type="button" aria-disabled={more.isBusy} onClick={() => void findMore(kept, next)}>
            {more.isBusy ? 'One moment…' : 'Look further'}
          </button>
        )}
      </Panel>
    </Page>
  );
}

/** Names are sealed one by one, so that a look goes through some hundred heroes and says where the next one goes on. */
function emptyWords({ query, next }: Search): string {
  if (next !== null) return 'Nobody among the heroes that were looked at so far, those seen last first. Look further.';
  return query === '' ? 'There is no player yet.' : `Nobody is found for “${query}”. A mail address must be whole; a name may be its beginning.`;
}

function Found({ search }: { search: Search }) {
  return (
    <div data-testid="found" role="region" aria-label="Found" aria-live="polite">
      <Table
        caption="Players that were found"
        rows={search.rows}
        keyOf={(row) => row.hero_id}
        empty={emptyWords(search)}
        columns={[
          { name: 'Name', isHead: true, cell: (row) => <a href={hrefOf({ page: 'player', hero: row.hero_id, tab: 'hero', seq: null })}>{nameOf(row)}</a> },
          { name: 'Kind', cell: (row) => <Chip tone={kindOf(row.kind).tone}>{kindOf(row.kind).words}</Chip> },
          { name: 'Sockets', isNumber: true, cell: (row) => row.connections },
          { name: 'Last seen', cell: (row) => <Time ms={row.last_seen_ms} as="relative" /> },
          { name: 'Made', cell: (row) => <Time ms={row.created_at_ms} /> },
          { name: 'Hero', cell: (row) => <code>{row.hero_id}</code> },
        ]}
      />
    </div>
  );
}
