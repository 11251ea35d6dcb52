/** One player: who it is above, and five ways to look at it below. */

import type { Hero } from '@dopamine-hero/sdk';
import type { Player } from '../api.gen';
import { useLoaded } from '../loaded';
import { kindOf, nameOf } from '../players';
import { Chip } from '../parts/chip';
import { Copy } from '../parts/copy';
import { Page } from '../parts/page';
import { Shown } from '../parts/problem';
import { Facts } from '../parts/table';
import { Time } from '../parts/time';
import { hrefOf, PLAYER_TABS, type PlayerTab } from '../router';
import { ActionsTab } from './player-actions';
import { BalanceTab } from './player-balance';
import { DevicesTab } from './player-devices';
import { HeroView } from './player-hero';
import { TimelineTab } from './player-timeline';

const TAB_WORDS: Readonly<Record<PlayerTab, string>> = {
  hero: 'Hero',
  timeline: 'Timeline',
  balance: 'Balance',
  devices: 'Devices and sockets',
  actions: 'Actions',
};

export function PlayerPage({ hero, tab, seq }: { hero: string; tab: PlayerTab; seq: number | null }) {
  const loaded = useLoaded<Player>(`/v1/players/${hero}`);
  const title = loaded.data === null ? 'Player' : nameOf(loaded.data.row);
  return (
    <Page
      title={title}
      actions={
        <>
          <button type="button" aria-disabled={loaded.isLoading} onClick={loaded.reload}>
            {loaded.isLoading ? 'Loading…' : 'Look again'}
          </button>
          <a className="button" href={hrefOf({ page: 'players' })}>
            All players
          </a>
        </>
      }
    >
      <Shown of={loaded} what="the player">
        {(player) => (
          <>
            <Who player={player} />
            <nav className="tabs" aria-label="About this player">
              {PLAYER_TABS.map((one) => (
                <a key={one} href={hrefOf({ page: 'player', hero, tab: one, seq: null })} aria-current={one === tab ? 'page' : undefined}>
                  {TAB_WORDS[one]}
                </a>
              ))}
            </nav>
            <Tab player={player} hero={hero} tab={tab} seq={seq} onChanged={loaded.reload} />
          </>
        )}
      </Shown>
    </Page>
  );
}

interface TabProps {
  player: Player;
  hero: string;
  tab: PlayerTab;
  seq: number | null;
  onChanged: () => void;
}

function Tab({ player, hero, tab, seq, onChanged }: TabProps) {
  switch (tab) {
    case 'hero':
      return player.hero === null ? <p className="notice">This hero cannot be read: {player.quarantined ?? 'it was erased, or its key is gone'}.</p> : <HeroView hero={player.hero as Hero} />;
    case 'timeline':
      return <TimelineTab player={player} hero={hero} seq={seq} onChanged={onChanged} />;
    case 'balance':
      return <BalanceTab hero={hero} lastSeq={player.last_seq} />;
    case 'devices':
      return <DevicesTab player={player} onChanged={onChanged} />;
    case 'actions':
      return <ActionsTab player={player} onChanged={onChanged} />;
  }
}

function Who({ player }: { player: Player }) {
  const { row, account } = player;
  const { words, tone } = kindOf(row.kind);
  return (
    <div className="who-is">
      {player.quarantined !== null && (
        <p className="notice" data-tone="bad" role="alert">
          Set aside: {player.quarantined}. Nothing is lost; <code>dopamine-hero verify</code> says what is wrong with it.
        </p>
      )}
      <Facts
        facts={[
          ['Kind', <Chip key="kind" tone={tone}>{words}</Chip>],
          ['Hero', <Copy key="hero" text={row.hero_id} name="hero’s id" />],
          ['Last event', player.last_seq],
          ['In memory of', player.owner ?? 'no server'],
          ['Made', <Time key="made" ms={row.created_at_ms} />],
          ['Last seen', <Time key="seen" ms={row.last_seen_ms} as="relative" />],
          ...(account === null
            ? []
            : ([
                ['Account', <code key="account">{account.account_id}</code>],
                ['Mail', account.mail === null ? 'none' : `${account.mail}${account.is_mail_verified ? '' : ', not verified'}`],
                ...(account.banned_at_ms === null ? [] : [['Banned', <Time key="banned" ms={account.banned_at_ms} />] as const]),
                ...(account.erase_at_ms === null ? [] : [['Erased', <Time key="erased" ms={account.erase_at_ms} as="relative" />] as const]),
              ] as const)),
        ]}
      />
    </div>
  );
}
