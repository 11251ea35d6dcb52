/** A hero as it was after any event, and what that event changed. */

import { type Hero, type HeroPatch } from '@dopamine-hero/sdk';
import { useEffect, useRef, useState } from 'react';
import type { HeroAt } from '../api.gen';
import { eventChanges, fieldWords } from '../diff';
import { count } from '../format';
import { useLoaded } from '../loaded';
import { Amount } from '../parts/amount';
import { Field } from '../parts/field';
import { Panel } from '../parts/page';
import { Problem, Waiting } from '../parts/problem';
import { Facts, Table } from '../parts/table';
import { Time } from '../parts/time';
import { go, hrefOf } from '../router';
import { useSettings } from '../settings';
import { HeroView } from './player-hero';

const CHANGES_MAX = 200;
/** While somebody pulls the slider, only where it rests is asked for. */
const REST_MS = 250;

export function Travel({ hero, seq, lastSeq }: { hero: string; seq: number | null; lastSeq: number }) {
  const [wanted, setWanted] = useState(String(seq ?? lastSeq));
  const [isWhole, setWhole] = useState(false);
  const loaded = useLoaded<HeroAt>(seq === null ? null : `/v1/players/${hero}/at/${seq}`);
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => setWanted(String(seq ?? lastSeq)), [seq, lastSeq]);
  // Whoever looked from a row far below is led up to what is shown.
  useEffect(() => {
    if (seq !== null) place.current?.scrollIntoView({ block: 'nearest' });
  }, [seq]);
  useEffect(() => {
    const number = Number(wanted);
    const isMeant = /^\d+$/.test(wanted) && number >= 1 && number <= lastSeq && number !== (seq ?? lastSeq);
    if (!isMeant) return;
    const timer = setTimeout(() => go({ page: 'player', hero, tab: 'timeline', seq: number }, seq === null ? 'push' : 'replace'), REST_MS);
    return () => clearTimeout(timer);
  }, [wanted, hero, seq, lastSeq]);
  const step = (by: number) => setWanted(String(Math.min(lastSeq, Math.max(1, (seq ?? lastSeq) + by))));
  return (
    <div ref={place} className="travel-place">
      <Panel
        title="As it was"
        about="Pick a moment of the hero’s life: it is made again from the journal up to that event."
        actions={
          seq !== null && (
            <a className="button small" href={hrefOf({ page: 'player', hero, tab: 'timeline', seq: null })}>
              Back to now
            </a>
          )
        }
      >
        <div className="travel">
          <button type="button" className="small" aria-label="One event earlier" onClick={() => step(-1)}>
            ◂
          </button>
          <input type="range" aria-label="Event" min={1} max={Math.max(1, lastSeq)} value={/^\d+$/.test(wanted) ? wanted : lastSeq} onChange={(event) => setWanted(event.target.value)} />
          <button type="button" className="small" aria-label="One event later" onClick={() => step(1)}>
            ▸
          </button>
          <Field label="After event" inputMode="numeric" value={wanted} onChange={setWanted} maxLength={15} hint={`1 to ${count(lastSeq)}`} />
        </div>
        <Problem problem={loaded.problem} onRetry={loaded.reload} />
        {seq !== null && loaded.data === null && loaded.problem === null && <Waiting what="the hero as it was" />}
        {loaded.data !== null && <Then at={loaded.data} isWhole={isWhole} onWhole={setWhole} />}
      </Panel>
    </div>
  );
}

function Then({ at, isWhole, onWhole }: { at: HeroAt; isWhole: boolean; onWhole: (isWhole: boolean) => void }) {
  const { zone } = useSettings();
  const hero = at.hero as Hero;
  const changed = eventChanges(hero, at.before as HeroPatch);
  return (
    <div className="then" data-testid="then">
      <p>
        <strong>After event {at.seq}</strong>, <Time ms={at.at_ms} />
      </p>
      <Facts
        facts={[
          ['Name', hero.profile.name],
          ['Energy', <Amount key="energy" of="energy" value={hero.wallet.energy_me} />],
          ['Dopamine', <Amount key="dopamine" of="dopamine" value={hero.wallet.dopamine_md} />],
          ['Level', hero.wallet.level],
          ['Streak', `${hero.streak.days} days`],
          ['Session', hero.focus.session === null ? 'none' : hero.focus.session.state],
        ]}
      />
      <h3>What this event changed</h3>
      <Table
        caption="Fields that the event changed"
        rows={changed.slice(0, CHANGES_MAX)}
        keyOf={(one) => one.path}
        empty="Nothing that the player sees."
        columns={[
          { name: 'Field', isHead: true, cell: (one) => <code>{one.path}</code> },
          { name: 'Before', cell: (one) => (one.from === null ? <span className="quiet">not there</span> : fieldWords(one.path, one.from, zone)) },
          { name: 'After', cell: (one) => (one.to === null ? <span className="quiet">gone</span> : fieldWords(one.path, one.to, zone)) },
        ]}
      />
      {changed.length > CHANGES_MAX && <p className="quiet">And {count(changed.length - CHANGES_MAX)} more.</p>}
      <button type="button" aria-expanded={isWhole} onClick={() => onWhole(!isWhole)}>
        {isWhole ? 'Hide the whole hero' : 'Show the whole hero as it was'}
      </button>
      {isWhole && <HeroView hero={hero} />}
    </div>
  );
}
