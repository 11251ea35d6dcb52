/** What operators did, in order, each row chained to the one before. */

import { useCallback, useEffect, useState } from 'react';
import { type Failed, failed, isAborted } from '../api';
import type { AuditPage as Answer, AuditRow, AuditVerdict } from '../api.gen';
import { useApi } from '../context';
import { count, words } from '../format';
import { Chip } from '../parts/chip';
import { useTask } from '../parts/field';
import { Page, Panel } from '../parts/page';
import { Problem, Waiting } from '../parts/problem';
import { Table } from '../parts/table';
import { Time } from '../parts/time';
import { hrefOf } from '../router';

const PAGE_ROWS = 50;

export function AuditPage() {
  return (
    <Page title="Audit log" about="Written before each effect and never changed: every row carries a hash of all that stand before it.">
      <Verify />
      <Rows />
    </Page>
  );
}

function Verify() {
  const api = useApi();
  const [verdict, setVerdict] = useState<AuditVerdict | null>(null);
  const task = useTask();
  const verify = () => task.run(async () => setVerdict(await api.get<AuditVerdict>('/v1/audit/verify', { isLong: true })));
  return (
    <Panel
      title="Is it whole?"
      actions={
        <button type="button" className="primary" aria-disabled={task.isBusy} onClick={() => void verify()}>
          {task.isBusy ? 'Reading…' : 'Verify'}
        </button>
      }
    >
      <Problem problem={task.problem} />
      {verdict === null ? (
        <p className="quiet">
          Verify reads every row and its hash. So does <code>dopamine-hero audit verify</code>.
        </p>
      ) : (
        <p role="status" data-testid="verdict">
          <Chip tone={verdict.is_whole ? 'good' : 'bad'}>{verdict.is_whole ? 'whole' : 'not whole'}</Chip> {count(verdict.rows)} rows were read. {verdict.problem ?? 'Nothing was changed, removed, moved or cut off.'}
        </p>
      )}
    </Panel>
  );
}

function Rows() {
  const { rows, problem, isLoading, isEnd, load } = useRows();
  const [open, setOpen] = useState<number | null>(null);
  return (
    <Panel
      title="Rows"
      actions={
        <button type="button" className="small" aria-disabled={isLoading} onClick={() => void load(null)}>
          Look again
        </button>
      }
    >
      {rows === null && isLoading && <Waiting what="the log" />}
      {rows !== null && (
        <Table
          caption="Audit log"
          rows={rows}
          keyOf={(row) => row.seq}
          empty="Nothing was done yet."
          below={(row) => (open === row.seq ? <Details row={row} /> : null)}
          columns={[
            { name: 'Row', isHead: true, cell: (row) => row.seq },
            { name: 'When', cell: (row) => <Time ms={row.at_ms} /> },
            { name: 'Who', cell: (row) => (row.role === null ? row.operator || 'unknown' : `${row.operator} (${row.role})`) },
            { name: 'What', cell: (row) => words(row.action) },
            { name: 'To', cell: (row) => <Subject subject={row.subject} /> },
            { name: 'Why', cell: (row) => row.reason },
            { name: 'Came to', cell: (row) => <Outcome outcome={row.outcome} /> },
            {
              name: 'Do',
              cell: (row) => (
                <button type="button" className="small" aria-expanded={open === row.seq} aria-label={`Details of row ${row.seq}`} onClick={() => setOpen(open === row.seq ? null : row.seq)}>
                  Details
                </button>
              ),
            },
          ]}
        />
      )}
      <Problem problem={problem} onRetry={() => void load(rows === null ? null : 'more')} />
      {rows !== null && !isEnd && problem === null && (
        <button type="button" aria-disabled={isLoading} onClick={() => void load('more')}>
          {isLoading ? 'One moment…' : 'Load earlier rows'}
        </button>
      )}
    </Panel>
  );
}

function Subject({ subject }: { subject: string }) {
  const hero = /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(subject)?.[0];
  return hero === undefined ? <>{subject}</> : <a href={hrefOf({ page: 'player', hero, tab: 'hero', seq: null })}>{subject}</a>;
}

function Outcome({ outcome }: { outcome: string | null }) {
  if (outcome === null) return <span className="quiet">–</span>;
  return <Chip tone={outcome === 'done' ? 'good' : 'bad'}>{outcome}</Chip>;
}

function Details({ row }: { row: AuditRow }) {
  return (
    <div className="event-body">
      <p className="quiet">
        Hash <code>{row.hash}</code>
      </p>
      {row.details === null ? <p className="quiet">Nothing else was said.</p> : <pre>{JSON.stringify(row.details, null, 2)}</pre>}
    </div>
  );
}

function useRows() {
  const api = useApi();
  const [rows, setRows] = useState<AuditRow[] | null>(null);
  const [before, setBefore] = useState<number | null>(null);
  const [problem, setProblem] = useState<Failed | null>(null);
  const [isLoading, setLoading] = useState(true);

  const fetchPage = useCallback(
    async (from: number | null, signal?: AbortSignal) => {
      setLoading(true);
      try {
        const page = await api.get<Answer>(`/v1/audit?${from === null ? '' : `before=${from}&`}limit=${PAGE_ROWS}`, { signal });
        setRows((old) => (from === null ? page.rows : [...(old ?? []), ...page.rows]));
        setBefore(page.before);
        setProblem(null);
      } catch (error) {
        if (!isAborted(error)) setProblem(failed(error));
      } finally {
        if (signal?.aborted !== true) setLoading(false);
      }
    },
    [api],
  );

  useEffect(() => {
    const abort = new AbortController();
    void fetchPage(null, abort.signal);
    return () => abort.abort();
  }, [fetchPage]);

  const load = async (what: 'more' | null) => {
    if (!isLoading) await fetchPage(what === 'more' ? before : null);
  };
  return { rows, problem, isLoading, isEnd: before === null, load };
}
