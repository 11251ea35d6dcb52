import { amount } from '../format';
import { useGame } from '../game';
import { Icon, type IconName } from './icon';
import { StatusPill } from './status';

export type Page = 'home' | 'tasks' | 'workshop' | 'rack' | 'you' | 'settings' | AccountPageName;

/** Reached from the profile, from a banner, or from a mail. */
export type AccountPageName = 'create' | 'login' | 'forgot' | 'reset' | 'verify' | 'claim' | 'account';

/** Opens a page; the words are said above it, once. */
export type Go = (page: Page, words?: string) => void;

const PAGES: readonly { page: Page; words: string; icon: IconName }[] = [
  { page: 'home', words: 'Focus', icon: 'home' },
  { page: 'tasks', words: 'Tasks', icon: 'tasks' },
  { page: 'workshop', words: 'Workshop', icon: 'workshop' },
  { page: 'rack', words: 'Rack', icon: 'rack' },
  { page: 'you', words: 'You', icon: 'you' },
];

export function Navigation({ page, onGo }: { page: Page; onGo: Go }) {
  return (
    <nav className="navigation" aria-label="Pages">
      {PAGES.map((one) => (
        <button key={one.page} type="button" aria-current={currentOf(page, one.page)} onClick={() => onGo(one.page)}>
          <Icon name={one.icon} />
          <span>{one.words}</span>
        </button>
      ))}
    </nav>
  );
}

const UNDER_YOU: readonly Page[] = ['create', 'login', 'forgot', 'reset', 'verify', 'claim', 'account'];

/** The account's pages lie under the profile. */
function currentOf(page: Page, entry: Page): 'page' | 'true' | undefined {
  if (page === entry) return 'page';
  return entry === 'you' && UNDER_YOU.includes(page) ? 'true' : undefined;
}

export interface TopBarProps {
  page: Page;
  onGo: Go;
  onHelp: () => void;
  /** The very first screen shows nothing to decide. */
  isBare: boolean;
}

export function TopBar({ page, onGo, onHelp, isBare }: TopBarProps) {
  const { known } = useGame();
  return (
    <header className="top">
      <button type="button" className="brand" onClick={() => onGo('home')}>
        <svg viewBox="0 0 64 64" aria-hidden="true">
          <rect className="brand-shell" x="9" y="14" width="46" height="36" rx="16" />
          <rect className="brand-visor" x="15" y="21" width="34" height="21" rx="10" />
          <path className="brand-wave" d="M19 32c3-9 6-9 9 0s6 9 9 0 5-8 8 0" />
          <rect className="brand-cup" x="3" y="24" width="9" height="17" rx="4" />
          <rect className="brand-cup" x="52" y="24" width="9" height="17" rx="4" />
        </svg>
        <span>Dopamine Hero</span>
      </button>
      {!isBare && <Wallet />}
      <div className="top-end">
        {(!isBare || known) && <StatusPill />}
        <button type="button" className="icon-button" aria-label="Help and keys" onClick={onHelp}>
          <Icon name="help" />
        </button>
        <button type="button" className="icon-button" aria-label="Settings" aria-current={page === 'settings' ? 'page' : undefined} onClick={() => onGo('settings')}>
          <Icon name="settings" />
        </button>
      </div>
    </header>
  );
}

function Wallet() {
  const { wallet } = useGame().view.hero;
  return (
    <p className="wallet">
      <span className="level">Lv {wallet.level}</span>
      <span className="energy" title="Energy">
        <Icon name="energy" />
        <span className="visually-hidden">Energy </span>
        <span data-testid="energy">{amount(wallet.energy_me)}</span>
      </span>
      <span className="dopamine" title="Dopamine">
        <Icon name="dopamine" />
        <span className="visually-hidden">Dopamine </span>
        <span data-testid="dopamine">{amount(wallet.dopamine_md)}</span>
      </span>
    </p>
  );
}
