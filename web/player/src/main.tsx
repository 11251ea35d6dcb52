import '@fontsource-variable/lexend';
import './styles/base.css';
import './styles/layout.css';
import './styles/parts.css';
import './styles/art.css';
import './styles/pages.css';
import './styles/workbench.css';
import './styles/you.css';
import './styles/motion.css';
import { openInBrowser } from '@dopamine-hero/sdk';
import { createRoot } from 'react-dom/client';
import { App } from './app';
import { ClientProvider } from './game';
import { followSystem } from './settings';

followSystem();
const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no root');
const client = await openInBrowser({ name: 'dopamine-hero-player/0.1.0' });
createRoot(root).render(
  <ClientProvider value={client}>
    <App />
  </ClientProvider>,
);

// Only the built client: while developing, an old page from a cache is the last thing one wants.
if (import.meta.env.PROD && 'serviceWorker' in navigator) {
  navigator.serviceWorker.register('/service-worker.js').catch(() => undefined);
}
