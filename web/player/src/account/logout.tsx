import { useState } from 'react';
import { useClient, useGame } from '../game';
import type { Go } from '../parts/navigation';
import { FormProblem, type Task, useTask } from './form';
import { useBrowser } from './session';

/** Until then what is under way is saved. */
const SAVE_MS_MAX = 3_000;

export interface Leaving {
  task: Task;
  /** What would be gone; asked about before anything is done. */
  unsaved: number;
  logout: () => void;
  stay: () => void;
}

/** One way out, wherever its button stands. Asked a second time, it goes with what is not saved. */
export function useLogout(onGo: Go): Leaving {
  const { auth } = useBrowser();
  const client = useClient();
  const { link } = useGame();
  const task = useTask();
  const [unsaved, setUnsaved] = useState(0);
  const logout = () =>
    task.run(async () => {
      const left = link.state === 'live' ? await client.saved(SAVE_MS_MAX) : client.state.unconfirmed;
      if (left > 0 && unsaved === 0) return setUnsaved(left);
      await auth.logout();
      client.stop();
      client.dropUnsaved();
      onGo('home', 'Logged out on this device.');
    });
  return { task, unsaved, logout, stay: () => setUnsaved(0) };
}

export function LogoutCard({ leaving }: { leaving: Leaving }) {
  const { view } = useGame();
  const { task, unsaved, logout, stay } = leaving;
  return (
    <section className="card" aria-label="Log out">
      {unsaved > 0 && (
        <p role="alert">
          {unsaved} {unsaved === 1 ? 'change is' : 'changes are'} not saved yet. Logged out, {unsaved === 1 ? 'it' : 'they'} would be gone.
        </p>
      )}
      <FormProblem problem={task.problem} />
      <div className="controls">
        {unsaved > 0 && (
          <button type="button" className="primary" autoFocus onClick={stay}>
            Stay
          </button>
        )}
        <button type="button" aria-disabled={task.busy} onClick={logout}>
          {unsaved > 0 ? 'Log out all the same' : 'Log out'}
        </button>
      </div>
      {view.hero.focus.session !== null && <p className="quiet">The running session goes on without this device.</p>}
    </section>
  );
}
