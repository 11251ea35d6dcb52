/** Where the rest of the client speaks of accounts: the last page of a session, the profile, and one line above all pages. */

import { useClient, useGame } from '../game';
import type { Go } from '../parts/navigation';
import { Icon } from '../parts/icon';
import { useSettings } from '../settings';
import { Avatar } from './avatar';
import { DataCard } from './data';
import { dismissOffer, guestUntil, mayOffer, useOfferDismissed } from './offer';
import { useAuth, useBrowser, useMe } from './session';

/** After the second session, beside its numbers; one press and it never comes again. */
export function AccountOffer({ onGo }: { onGo: Go }) {
  const client = useClient();
  const { hero } = useGame().view;
  const auth = useAuth();
  const isDismissed = useOfferDismissed();
  const { lowStimulation } = useSettings();
  if (isDismissed || lowStimulation || !mayOffer(auth, hero)) return null;
  return (
    <section className="card offer" aria-label="Keep this hero">
      <p>
        <strong>Keep this hero for good?</strong> As a guest it lives on this device. Played today, it stays until {guestUntil(client.clock.nowMs())}. With an account it stays, on every device of yours.
      </p>
      <div className="controls">
        <button type="button" onClick={() => onGo('create')}>
          Create an account
        </button>
        <button type="button" className="link" onClick={dismissOffer}>
          No, thank you
        </button>
      </div>
    </section>
  );
}

/** On the profile of an account: the way to everything about it. */
export function AccountCard({ onGo }: { onGo: Go }) {
  const { me } = useMe();
  const { guest, expired } = useAuth();
  return (
    <section className="card account-card" aria-label="Account">
      <Avatar url={me?.avatar_url ?? null} />
      <div>
        <h2>{me?.name || 'Your account'}</h2>
        <p className="quiet mail-address">{me?.mail ?? (expired ? 'Logged out on this device' : '')}</p>
      </div>
      <div className="controls">
        <button type="button" onClick={() => onGo(expired ? 'login' : 'account')}>
          {expired ? 'Log in' : 'Account and devices'}
        </button>
        {guest !== null && !expired && (
          <button type="button" onClick={() => onGo('claim')}>
            A second hero waits here
          </button>
        )}
      </div>
    </section>
  );
}

/** On the profile of a guest: how long it stays, and how it could stay for good. */
export function GuestCard({ onGo }: { onGo: Go }) {
  const client = useClient();
  const { hero } = useGame().view;
  const auth = useAuth();
  const offers = mayOffer(auth, hero);
  return (
    <>
      <section className="card" aria-label="Guest hero">
        <h2>A guest hero</h2>
        <p>
          It lives on this device and stays for 30 days after its last use. Played today, it stays until {guestUntil(client.clock.nowMs())}.
          {offers && ' With an account it stays for good, on every device of yours.'}
        </p>
        <div className="controls">
          {offers && (
            <button type="button" onClick={() => onGo('create')}>
              Create an account
            </button>
          )}
          <button type="button" className={offers ? 'link' : ''} onClick={() => onGo('login')}>
            Log in to an account
          </button>
        </div>
      </section>
      {auth.kind === 'guest' && <DataCard onGo={onGo} />}
    </>
  );
}

/** The line says that this device may not speak for its hero any more. The page goes on; who is focusing is not disturbed. */
export function SignedOutBanner({ onGo }: { onGo: Go }) {
  const client = useClient();
  const { auth } = useBrowser();
  const { kind } = useAuth();
  const { view, unconfirmed } = useGame();
  const waits = unconfirmed === 0 ? '' : ` ${unconfirmed} ${unconfirmed === 1 ? 'change waits' : 'changes wait'}.`;
  if (kind === 'account') {
    const isRunning = view.hero.focus.session !== null;
    return (
      <div className="banner" role="status" data-testid="signed-out">
        <span>
          {isRunning ? 'The login on this device has ended. The timer runs on; there is time to log in after the session.' : 'The login on this device has ended. What you do is kept here until you log in.'}
          {waits}
        </span>
        <button type="button" className={isRunning ? 'link' : 'primary'} onClick={() => onGo('login')}>
          Log in
        </button>
      </div>
    );
  }
  return (
    <div className="banner" role="status" data-testid="signed-out">
      <span>This device is no longer signed in. What you see stays here until you decide.{waits}</span>
      <button type="button" className="link" onClick={() => onGo('login')}>
        Log in
      </button>
      <button
        type="button"
        className="link"
        onClick={() => {
          client.forgetDevice();
          auth.reread();
        }}
      >
        Start a new hero
      </button>
    </div>
  );
}

export function NoticeBanner({ words, onClose }: { words: string; onClose: () => void }) {
  return (
    <div className="banner banner-quiet banner-notice" role="status">
      <span>{words}</span>
      <button type="button" className="icon-button" aria-label="Dismiss" onClick={onClose}>
        <Icon name="close" />
      </button>
    </div>
  );
}
