import '@fontsource-variable/lexend';
import 'uplot/dist/uPlot.min.css';
import './styles/base.css';
import './styles/frame.css';
import './styles/parts.css';
import './styles/pages.css';
import { createRoot } from 'react-dom/client';
import { Root } from './root';
import { SessionStore } from './session';
import { followSystem } from './settings';

followSystem();
const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no root');
const store = new SessionStore((input, init) => fetch(input, init));
createRoot(root).render(<Root store={store} />);
