/** Everything that ever happened to a hero, newest first, and the way back to any moment of it. */

import { useCallback, useEffect, useState } from 'react';
import type { Hero } from '@dopamine-hero/sdk';
import { Failed, failed, isAborted } from '../api';
import type { Correction, Player, Timeline, TimelineEvent } from '../api.gen';
import { useApi } from '../context';
import { correct } from '../corrections';
import { count, words } from '../format';
import { useLoaded } from '../loaded';
import { Change } from '../parts/amount';
import { CorrectionSays } from '../parts/correction-says';
import { Effect } from '../parts/effect';
import { Panel } from '../parts/page';
import { Problem, Waiting } from '../parts/problem';
import { Table } from '../parts/table';
import { Time } from '../parts/time';
import { hrefOf } from '../router';
import { Travel } from './player-travel';

const PAGE_EVENTS = 50;

interface TimelineProps {
  player: Player;
  hero: string;
  seq: number | null;
  onChanged: () => void;
}

export function TimelineTab({ player, hero, seq, onChanged }: TimelineProps) {
  return (
    <>
      <Travel hero={hero} seq={seq} lastSeq={player.last_seq} />
      <Events player={player} hero={hero} seq={seq} onChanged={onChanged} />
    </>
  );
}

function Events({ player, hero, seq, onChanged }: TimelineProps) {
  const { timeline, problem, isLoading, more } = useTimeline(hero, player.last_seq);
  const limit = useLoaded<Correction>('/v1/corrections/limit');
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  const toggle = (one: number) => setOpen((before) => (before.has(one) ? new Set([...before].filter((other) => other !== one)) : new Set([...before, one])));
  return (
    <Panel title="Timeline" about={timeline === null ? undefined : `${count(timeline.last_seq)} events in all, ${count(timeline.events.length)} shown, newest first.`}>
      {timeline === null && isLoading && <Waiting what="the timeline" />}
      {timeline !== null && (
        <Table
          caption="Events"
          rows={timeline.events}
          keyOf={(event) => event.seq}
          isMarked={(event) => event.seq === seq}
          empty="Nothing has happened to this hero."
          below={(event) => (open.has(event.seq) ? <Body event={event} /> : null)}
          columns={[
            { name: 'Seq', isHead: true, cell: (event) => event.seq },
            { name: 'When', cell: (event) => <Time ms={event.at_ms} /> },
            { name: 'What', cell: (event) => words(event.kind) },
            { name: 'Why', cell: (event) => <Why event={event} /> },
            { name: 'Energy', isNumber: true, cell: (event) => <Change of="energy" value={event.energy_me} /> },
            { name: 'Dopamine', isNumber: true, cell: (event) => <Change of="dopamine" value={event.dopamine_md} /> },
            {
              name: 'Do',
              cell: (event) => (
                <span className="row-actions">
                  <button type="button" className="small" aria-expanded={open.has(event.seq)} aria-label={`Details of event ${event.seq}`} onClick={() => toggle(event.seq)}>
                    Details
                  </button>
                  <a className="button small" href={hrefOf({ page: 'player', hero, tab: 'timeline', seq: event.seq })} aria-label={`The hero after event ${event.seq}`}>
                    Look
                  </a>
                  {(event.energy_me !== 0 || event.dopamine_md !== 0) && <Revert player={player} event={event} limit={limit.data} onDone={onChanged} />}
                </span>
              ),
            },
          ]}
        />
      )}
      <Problem problem={problem} onRetry={more} />
      {timeline?.before !== null && timeline !== null && problem === null && (
        <button type="button" aria-disabled={isLoading} onClick={more}>
          {isLoading ? 'One moment…' : 'Load earlier events'}
        </button>
      )}
    </Panel>
  );
}

function Why({ event }: { event: TimelineEvent }) {
  const parts = [event.cause === null ? '' : words(event.cause), event.subject ?? ''].filter((part) => part !== '');
  return (
    <>
      {parts.join(' · ')}
      {event.operator !== null && <span className="by"> by operator {event.operator}</span>}
    </>
  );
}

function Body({ event }: { event: TimelineEvent }) {
  const [stream, number] = event.command ?? [null, null];
  return (
    <div className="event-body" data-testid={`event-${event.seq}`}>
      <p className="quiet">
        {stream === null ? 'No command: time or the server did it.' : `Command ${number} of stream ${stream}.`} Catalogue version {event.catalogue_version}.
      </p>
      <pre>{JSON.stringify(event.body, null, 2)}</pre>
    </div>
  );
}

function Revert({ player, event, limit, onDone }: { player: Player; event: TimelineEvent; limit: Correction | null; onDone: () => void }) {
  const api = useApi();
  const hero = player.hero as Hero | null;
  const wish = { energy_me: event.energy_me === 0 ? 0 : -event.energy_me, dopamine_md: event.dopamine_md === 0 ? 0 : -event.dopamine_md };
  return (
    <Effect
      label="Revert"
      name={`Revert event ${event.seq}`}
      needs="operator"
      title={`Take back event ${event.seq}?`}
      says={
        <>
          <p>
            {words(event.kind)} of <Time ms={event.at_ms} />. Only its amounts are taken back, once; what else it did stays.
          </p>
          <CorrectionSays wish={wish} wallet={hero === null ? null : hero.wallet} limit={limit} />
        </>
      }
      confirm="Take it back"
      run={(reason) => correct(api, player.row.hero_id, { reason, ...wish, reverts: event.seq })}
      onDone={onDone}
    />
  );
}

interface Kept {
  hero: string;
  timeline: Timeline | null;
  problem: Failed | null;
}

/** The pages that were asked for, one after the other; from the newest again when there are new events. */
function useTimeline(hero: string, lastSeq: number): { timeline: Timeline | null; problem: Failed | null; isLoading: boolean; more: () => void } {
  const api = useApi();
  const [kept, setKept] = useState<Kept>({ hero, timeline: null, problem: null });
  const [isLoading, setLoading] = useState(lastSeq > 0);

  const load = useCallback(
    async (before: number | null, signal?: AbortSignal) => {
      setLoading(true);
      const from = before === null ? '' : `before=${before}&`;
      try {
        const page = await api.get<Timeline>(`/v1/players/${hero}/timeline?${from}limit=${PAGE_EVENTS}`, { signal });
        setKept((old) => {
          const known = before === null ? [] : (old.timeline?.events ?? []);
          return { hero, timeline: { ...page, events: [...known, ...page.events] }, problem: null };
        });
      } catch (error) {
        if (!isAborted(error)) setKept((old) => ({ ...old, hero, problem: failed(error) }));
      } finally {
        if (signal?.aborted !== true) setLoading(false);
      }
    },
    [api, hero],
  );

  useEffect(() => {
    // Seq 1 makes a hero: without one there is nothing to read.
    if (lastSeq < 1) return;
    const abort = new AbortController();
    void load(null, abort.signal);
    return () => abort.abort();
  }, [load, lastSeq]);

  const timeline = kept.hero === hero ? kept.timeline : null;
  return { timeline, problem: kept.problem, isLoading, more: () => void (!isLoading && load(timeline?.before ?? null)) };
}
