import { useEffect, useRef } from 'react';
import { useSettings } from '../settings';
import { Icon } from './icon';

const KEYS: readonly [string, string][] = [
  ['Space', 'start five minutes, pause, go on'],
  ['I', 'got pulled away'],
  ['B', 'start or end a break'],
  ['N', 'add a task'],
  ['R', 'the rack'],
  ['?', 'this page'],
  ['Esc', 'back'],
];

const RACK_KEYS: readonly [string, string][] = [
  ['Arrows', 'move between cells'],
  ['Enter', 'pick a module up, put it down'],
  ['C', 'start a cable here, then C on its goal (the core is below the last row)'],
  ['Delete', 'take the module off the grid'],
];

export function Help({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const { shortcuts } = useSettings();
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} className="help" aria-labelledby="help-title" onClose={onClose}>
      <button type="button" className="icon-button help-close" aria-label="Close" onClick={onClose}>
        <Icon name="close" />
      </button>
      <h2 id="help-title">How this works</h2>
      <p>Focus makes energy. Energy assembles modules. Powered modules make dopamine while you focus, and dopamine makes modules better.</p>
      <p>Stopping early keeps everything. A missed day costs at most a shield or half a streak, never all of it.</p>
      <h3>Keys{!shortcuts && <span className="quiet"> · single keys are switched off in the settings</span>}</h3>
      <KeyList keys={KEYS} />
      <h3>In the rack</h3>
      <KeyList keys={RACK_KEYS} />
    </dialog>
  );
}

function KeyList({ keys }: { keys: readonly [string, string][] }) {
  return (
    <dl className="keys">
      {keys.map(([key, words]) => (
        <div key={key}>
          <dt>
            <kbd>{key}</kbd>
          </dt>
          <dd>{words}</dd>
        </div>
      ))}
    </dl>
  );
}
