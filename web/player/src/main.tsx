import '@fontsource-variable/lexend';
import './styles/base.css';
import './styles/layout.css';
import './styles/parts.css';
import './styles/art.css';
import './styles/pages.css';
import './styles/workbench.css';
import './styles/you.css';
import './styles/account.css';
import './styles/motion.css';
import { Browser } from '@dopamine-hero/sdk';
import { createRoot } from 'react-dom/client';
import { Root } from './root';
import { followSystem } from './settings';

followSystem();
const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no root');
/** Set when the page is on a host of its own, which passes requests on to the server but no sockets. */
const elsewhere = import.meta.env['VITE_SOCKET_URL'] as string | undefined;
const browser = new Browser({
  name: 'dopamine-hero-player/0.1.0',
  ...(elsewhere ? { socketUrl: elsewhere } : {}),
});
createRoot(root).render(<Root browser={browser} first={await browser.play()} />);

// Only the built client: while developing, an old page from a cache is the last thing one wants.
if (import.meta.env.PROD && 'serviceWorker' in navigator) {
  navigator.serviceWorker.register('/service-worker.js').catch(() => undefined);
}
