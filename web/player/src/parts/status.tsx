import type { ClientState, Command, Refusal } from '@dopamine-hero/sdk';
import { NoticeBanner, SignedOutBanner } from '../account/cards';
import { ErasureBanner } from '../account/erasure';
import { useClient, useGame } from '../game';
import { Icon } from './icon';
import type { Go, Page } from './navigation';
import { OperatorNotice } from './notice';

export interface StatusWords {
  tone: 'quiet' | 'busy' | 'away';
  words: string;
}

/** One short line about where things stand. Nothing is ever called lost, because nothing is. */
export function statusWords(state: ClientState): StatusWords {
  const { link, unconfirmed, synced, known } = state;
  const waiting = unconfirmed === 0 ? '' : ` · ${unconfirmed} to save`;
  switch (link.state) {
    case 'idle':
      return { tone: 'quiet', words: 'Ready' };
    case 'connecting':
      return { tone: 'busy', words: known && !synced ? `Syncing${waiting}` : `Connecting${waiting}` };
    case 'waiting':
      return { tone: 'away', words: link.online ? `Reconnecting${waiting}` : `Offline${waiting}` };
    case 'signed_out':
      return { tone: 'away', words: `Signed out${waiting}` };
    case 'erasing':
      return { tone: 'away', words: `Hidden${waiting}` };
    case 'banned':
    case 'stopped':
      return { tone: 'away', words: `Not connected${waiting}` };
    case 'live':
      if (state.readOnly) return { tone: 'away', words: `Saving paused${waiting}` };
      return unconfirmed > 0 ? { tone: 'busy', words: `Saving ${unconfirmed}` } : { tone: 'quiet', words: 'All saved' };
  }
}

export function StatusPill() {
  const status = statusWords(useGame());
  return (
    <span className="status" data-tone={status.tone} role="status" data-testid="status">
      <span className="status-dot" aria-hidden="true" />
      {status.words}
    </span>
  );
}

export interface BannersProps {
  page: Page;
  notice: string;
  onGo: Go;
  onCloseNotice: () => void;
}

/** Everything that the player should know about the line, above the page and never over the timer. */
export function Banners({ page, notice, onGo, onCloseNotice }: BannersProps) {
  const client = useClient();
  const state = useGame();
  const { link, view, unconfirmed } = state;
  const running = view.hero.focus.session !== null;
  const isAway = link.state === 'waiting' && (!state.synced || unconfirmed > 0 || running);
  return (
    <div className="banners">
      <OperatorNotice />
      {notice !== '' && <NoticeBanner words={notice} onClose={onCloseNotice} />}
      {isAway && (
        <p className="banner" role="status">
          {link.online ? 'The server does not answer right now.' : 'You are offline.'}{' '}
          {running ? 'The timer runs on and will be saved.' : 'What you do is kept here and will be saved.'}
          {unconfirmed > 0 && ` ${unconfirmed} ${unconfirmed === 1 ? 'change waits' : 'changes wait'}.`}
          <button type="button" className="link" onClick={() => client.reconnectNow()}>
            Try now
          </button>
        </p>
      )}
      {state.readOnly && link.state === 'live' && (
        <p className="banner" role="status">
          The server cannot save for the moment. Timers go on; today counts as a rest day if we stay down.
        </p>
      )}
      {link.state === 'stopped' && (
        <p className="banner" role="status">
          The server closed this connection.
          <button type="button" className="link" onClick={() => client.reconnectNow()}>
            Connect again
          </button>
        </p>
      )}
      <ErasureBanner page={page} onGo={onGo} />
      {link.state === 'signed_out' && page !== 'login' && <SignedOutBanner onGo={onGo} />}
      {link.state === 'banned' && (
        <p className="banner" role="status">
          This hero was closed by an operator. Please write to them if you think that is wrong.
        </p>
      )}
      {state.otherDevices > 0 && running && (
        <p className="banner banner-quiet">Running on another screen too. Both show the same clock.</p>
      )}
      {state.refusals.map((refusal) => (
        <RefusalBanner key={refusal.key} refusal={refusal} onDismiss={() => client.dismissRefusal(refusal.key)} />
      ))}
    </div>
  );
}

function RefusalBanner({ refusal, onDismiss }: { refusal: Refusal; onDismiss: () => void }) {
  return (
    <p className="banner banner-refused" role="alert">
      <span>
        <strong>{wishWords(refusal.body)} did not go through.</strong> {refusal.hint}
      </span>
      <button type="button" className="icon-button" aria-label="Dismiss" onClick={onDismiss}>
        <Icon name="close" />
      </button>
    </p>
  );
}

export function wishWords(body: Command): string {
  const kind = typeof body === 'string' ? body : (Object.keys(body)[0] ?? '');
  const words = kind.replaceAll('_', ' ');
  return `“${words.charAt(0).toUpperCase()}${words.slice(1)}”`;
}
