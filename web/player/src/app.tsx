import { timer } from '@dopamine-hero/sdk';
import { useEffect, useRef, useState } from 'react';
import { interruptFocus, toggleBreak, toggleFocus } from './actions';
import { Claim } from './account/claim';
import { CreateAccount, Login } from './account/login';
import { ForgotPassword, ResetPassword, VerifyMail } from './account/mail-links';
import { ErasurePage, isHidden, useErasure } from './account/erasure';
import { AccountPage } from './account/page';
import { type Catalogue, useCatalogue } from './catalogue';
import { useClient, useGame } from './game';
import { BreakPage, type Ended, Summary } from './pages/after';
import { FirstScreen, Home } from './pages/home';
import { Profile } from './pages/profile';
import { RackPage } from './pages/rack';
import { Running, RunningBar } from './pages/running';
import { SettingsPage } from './pages/settings-page';
import { TasksPage } from './pages/tasks-page';
import { Workshop } from './pages/workshop';
import { Announcer } from './parts/announcer';
import { Help } from './parts/help';
import { type Go, Navigation, type Page, TopBar } from './parts/navigation';
import { usePageTitle } from './parts/page-title';
import { type Shortcut, useShortcuts } from './parts/shortcuts';
import { Banners } from './parts/status';
import { TeamNotes } from './parts/team-notes';
import { Toasts } from './parts/toasts';
import { useSettings } from './settings';

export interface AppProps {
  page: Page;
  onGo: Go;
  /** Said above the page until it is left or dismissed. */
  notice: string;
  /** From the link of a mail. */
  code: string;
}

export function App({ page, onGo, notice, code }: AppProps) {
  const client = useClient();
  const state = useGame();
  const { lowStimulation } = useSettings();
  const [help, setHelp] = useState(false);
  const [ended, clearEnded] = useEnded();
  const catalogue = useCatalogue(state.catalogueVersion);
  const erasure = useErasure();
  usePageTitle();
  useSignsOfLife();

  const go: Go = (next, words) => {
    clearEnded();
    onGo(next, words);
  };
  useShortcuts((shortcut: Shortcut): void => {
    // There is nothing to play.
    if (erasure !== null && shortcut !== 'help' && shortcut !== 'back') return;
    switch (shortcut) {
      case 'toggle':
        return toggleFocus(client);
      case 'interrupt':
        return interruptFocus(client);
      case 'break':
        return toggleBreak(client);
      case 'add':
        if (document.getElementById('quick-add') === null) go('tasks');
        return void setTimeout(() => document.getElementById('quick-add')?.focus());
      case 'rack':
        return go('rack');
      case 'help':
        return setHelp(true);
      case 'back':
        if (help) return setHelp(false);
        if (document.activeElement instanceof HTMLInputElement) document.activeElement.blur();
        return go('home');
    }
  });

  const { hero } = state.view;
  const isNew = hero.statistics.sessions === 0 && hero.tasks.length === 0;
  const isFirst = isNew && hero.focus.session === null && ended === null && hero.focus.on_break === null && page === 'home';
  // The first session, and every calm one, has nothing beside the timer.
  const hasNavigation = erasure === null && !isFirst && !(hero.focus.session !== null && (hero.statistics.sessions === 0 || lowStimulation));
  return (
    <div className="app">
      <TopBar page={page} onGo={go} onHelp={() => setHelp(true)} isBare={isFirst || erasure !== null} />
      <Banners page={page} notice={notice} onGo={go} onCloseNotice={() => onGo(page)} />
      <TeamNotes />
      {erasure === null && page !== 'home' && hero.focus.session !== null && <RunningBar onOpen={() => go('home')} />}
      <div className="page" key={page} data-syncing={state.known && !state.synced}>
        {erasure !== null && isHidden(page, erasure) ? (
          <ErasurePage erasure={erasure} onGo={go} />
        ) : isFirst ? (
          <FirstScreen catalogue={catalogue} onLogin={() => go('login')} />
        ) : (
          <Content page={page} onGo={go} code={code} catalogue={catalogue} ended={ended} onClearEnded={clearEnded} />
        )}
      </div>
      {hasNavigation && <Navigation page={page} onGo={go} />}
      <Toasts hasEndPage={hero.focus.session !== null || ended !== null} />
      <Announcer />
      {help && <Help onClose={() => setHelp(false)} />}
    </div>
  );
}

interface ContentProps {
  page: Page;
  onGo: Go;
  code: string;
  catalogue: Catalogue | null;
  ended: Ended | null;
  onClearEnded: () => void;
}

function Content({ page, onGo, code, catalogue, ended, onClearEnded }: ContentProps) {
  const { focus } = useGame().view.hero;
  switch (page) {
    case 'home':
      // A break between two rounds belongs to a session that is open.
      if (focus.on_break !== null) return <BreakPage catalogue={catalogue} />;
      if (focus.session !== null) return <Running catalogue={catalogue} />;
      if (ended !== null) return <Summary ended={ended} catalogue={catalogue} onClose={onClearEnded} onGo={onGo} />;
      return <Home catalogue={catalogue} onOpenTasks={() => onGo('tasks')} />;
    case 'tasks':
      return <TasksPage />;
    case 'workshop':
      return <Workshop catalogue={catalogue} />;
    case 'rack':
      return <RackPage catalogue={catalogue} />;
    case 'you':
      return <Profile catalogue={catalogue} onGo={onGo} />;
    case 'settings':
      return <SettingsPage />;
    case 'create':
      return <CreateAccount onGo={onGo} />;
    case 'login':
      return <Login onGo={onGo} />;
    case 'forgot':
      return <ForgotPassword onGo={onGo} />;
    case 'reset':
      return <ResetPassword code={code} onGo={onGo} />;
    case 'verify':
      return <VerifyMail code={code} onGo={onGo} />;
    case 'claim':
      return <Claim catalogue={catalogue} onGo={onGo} />;
    case 'account':
      return <AccountPage onGo={onGo} />;
  }
}

/** The server closes an open-ended session after an hour without a sign; it listens to one every five minutes. */
const SIGN_OF_LIFE_MS = 10 * 60_000;

function useSignsOfLife(): void {
  const client = useClient();
  const { session } = useGame().view.hero.focus;
  const isOpenEnded = session?.state === 'running' && session.planned_ms === null;
  useEffect(() => {
    if (!isOpenEnded) return;
    const id = setInterval(() => client.send('keep_going', { quiet: true }), SIGN_OF_LIFE_MS);
    return () => clearInterval(id);
  }, [client, isOpenEnded]);
}

/** Under this the rules discard a session, so there is nothing to tell. */
const TOLD_MS_MIN = 60_000;

/** Notices that the open session is over, and keeps what its last page needs. */
function useEnded(): [Ended | null, () => void] {
  const client = useClient();
  const { view } = useGame();
  const [ended, setEnded] = useState<Ended | null>(null);
  const before = useRef<(Ended & { startedAtMs: number }) | null>(null);
  const session = view.hero.focus.session;
  useEffect(() => {
    if (session !== null) {
      const known = before.current;
      const isSame = known !== null && Math.abs(known.startedAtMs - session.started_at_ms) < 10_000;
      before.current = {
        startedAtMs: session.started_at_ms,
        focusMs: 0,
        level: isSame ? known.level : view.hero.wallet.level,
        achievements: isSame ? known.achievements : view.hero.achievements.map((one) => one.achievement_id),
      };
      setEnded(null);
      const id = setInterval(() => {
        if (before.current !== null) before.current.focusMs = timer.focusMs(session, client.clock.nowMs());
      }, 250);
      before.current.focusMs = timer.focusMs(session, client.clock.nowMs());
      return () => clearInterval(id);
    }
    const last = before.current;
    before.current = null;
    if (last !== null && last.focusMs >= TOLD_MS_MIN) setEnded(last);
    return undefined;
    // The level and the achievements count as they were when the session appeared.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [session, client]);
  return [ended, () => setEnded(null)];
}
