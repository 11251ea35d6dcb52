/** When the service was away. The days it touched become rest days, so that nobody loses a streak to us. */

import { useState } from 'react';
import type { Outage, OutageAsk } from '../api.gen';
import { useApi } from '../context';
import { duration, fromField, moment, offset, toField } from '../format';
import { useLoaded } from '../loaded';
import { Effect } from '../parts/effect';
import { Field } from '../parts/field';
import { Page, Panel } from '../parts/page';
import { Shown } from '../parts/problem';
import { Table } from '../parts/table';
import { Time } from '../parts/time';
import { serverNow } from '../server-time';

const HOUR_MS = 3_600_000;

export function OutagesPage() {
  const loaded = useLoaded<Outage[]>('/v1/outages');
  return (
    <Page title="Outages" about="When the service was away. The days it touched become rest days for every hero.">
      <Declare onDone={loaded.reload} />
      <Panel title="Known outages" about="Those that were declared, and those that the server found itself.">
        <Shown of={loaded} what="outages">
          {(outages) => (
            <Table
              caption="Outages"
              rows={outages}
              keyOf={(outage) => `${outage.from_ms} ${outage.until_ms}`}
              empty="None is known."
              columns={[
                { name: 'From', isHead: true, cell: (outage) => <Time ms={outage.from_ms} /> },
                { name: 'Until', cell: (outage) => <Time ms={outage.until_ms} /> },
                { name: 'Lasted', isNumber: true, cell: (outage) => duration(outage.until_ms - outage.from_ms) },
                { name: 'In UTC', cell: (outage) => `${moment(outage.from_ms, 'utc')} to ${moment(outage.until_ms, 'utc')}` },
              ]}
            />
          )}
        </Shown>
      </Panel>
    </Page>
  );
}

/** Why a window cannot be declared; nothing when it can. */
export function windowProblem(fromMs: number | null, untilMs: number | null, nowMs: number): string | null {
  if (fromMs === null || untilMs === null) return 'Say from when until when first.';
  if (untilMs <= fromMs) return 'It must end after it began.';
  if (untilMs > nowMs) return 'It must be over: declare it afterwards.';
  return null;
}

function Declare({ onDone }: { onDone: () => void }) {
  const api = useApi();
  const [from, setFrom] = useState('');
  const [until, setUntil] = useState('');
  const fromMs = fromField(from);
  const untilMs = fromField(until);
  const problem = windowProblem(fromMs, untilMs, serverNow());
  const fillHour = () => {
    const now = serverNow();
    setFrom(toField(now - HOUR_MS));
    setUntil(toField(now));
  };
  return (
    <Panel title="Declare an outage" about="Times are those of this machine; what they are in UTC stands below each.">
      <div className="line-up">
        <Field label="From" type="datetime-local" value={from} onChange={setFrom} hint={utcWords(fromMs)} />
        <Field label="Until" type="datetime-local" value={until} onChange={setUntil} hint={utcWords(untilMs)} />
        <div className="line-up-buttons">
          <button type="button" onClick={fillHour}>
            The last hour
          </button>
          <Effect
            label="Declare…"
            tone="primary"
            needs="operator"
            off={problem}
            title="Declare this outage?"
            says={
              fromMs !== null &&
              untilMs !== null && (
                <>
                  <p>
                    The service was away for {duration(untilMs - fromMs)}, from <strong>{moment(fromMs, 'utc')}</strong> to <strong>{moment(untilMs, 'utc')}</strong> UTC.
                  </p>
                  <p>Every day of every hero that it touched becomes a rest day: no streak breaks, no shield is used. It cannot be taken back.</p>
                </>
              )
            }
            confirm="Declare it"
            run={async (reason) => {
              if (fromMs === null || untilMs === null) throw new Error('the window is gone');
              const ask: OutageAsk = { reason, from_ms: fromMs, until_ms: untilMs };
              await api.post('/v1/outages', ask);
              setFrom('');
              setUntil('');
              return 'The outage is declared.';
            }}
            onDone={onDone}
          />
        </div>
      </div>
      {problem !== null && from !== '' && until !== '' && <p className="notice" data-tone="watch">{problem}</p>}
    </Panel>
  );
}

function utcWords(ms: number | null): string {
  return ms === null ? 'in UTC: –' : `in UTC: ${moment(ms, 'utc').slice(0, 16)} (this machine: ${offset(ms)})`;
}
