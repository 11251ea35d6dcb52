/** Which client is drawn: another hero, another client. And which page, because a login may change both at once. */

import type { Browser, DopamineHero } from '@dopamine-hero/sdk';
import { useEffect, useRef, useState } from 'react';
import { type MailLink, takeLink } from './account/links';
import { BrowserProvider, MeProvider } from './account/session';
import { App } from './app';
import { ClientProvider } from './game';
import type { Go, Page } from './parts/navigation';

export function Root({ browser, first }: { browser: Browser; first: DopamineHero }) {
  const client = useClientOf(browser, first);
  const [link, setLink] = useState<MailLink | null>(takeLink);
  const [page, setPage] = useState<Page>(link?.kind ?? 'home');
  const [notice, setNotice] = useState('');
  useEffect(() => {
    const follow = () => {
      const next = takeLink();
      if (next === null) return;
      setLink(next);
      setPage(next.kind);
    };
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  const go: Go = (next, words = '') => {
    setPage(next);
    setNotice(words);
    scrollTo(0, 0);
  };
  return (
    <BrowserProvider value={browser}>
      <ClientProvider value={client.playing}>
        <MeProvider>
          <App key={client.count} page={page} onGo={go} notice={notice} code={link?.code ?? ''} />
        </MeProvider>
      </ClientProvider>
    </BrowserProvider>
  );
}

/** Opens another client when somebody else plays here, in whichever tab that was decided. */
function useClientOf(browser: Browser, first: DopamineHero): { playing: DopamineHero; count: number } {
  const [client, setClient] = useState({ playing: first, count: 0 });
  const isChanging = useRef(false);
  useEffect(() => {
    const follow = async () => {
      const { heroId, kind } = browser.auth.state;
      const { playing } = client;
      // A guest that has just been made is the one that this client asked for.
      const isSame = playing.heroId === heroId || (playing.heroId === null && kind !== 'account');
      if (isSame || isChanging.current) return;
      isChanging.current = true;
      browser.leave(playing);
      const next = await browser.play();
      isChanging.current = false;
      setClient({ playing: next, count: client.count + 1 });
    };
    void follow();
    return browser.auth.subscribe(() => void follow());
  }, [browser, client]);
  return client;
}
