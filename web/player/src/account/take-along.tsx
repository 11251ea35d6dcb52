/** One's own data as files, at once. */

import { ApiError } from '@dopamine-hero/sdk';
import { useState } from 'react';
import { useGame } from '../game';
import { FormProblem, useTask } from './form';
import { useBrowser } from './session';

export function TakeAlong() {
  const { account } = useBrowser();
  const { hero } = useGame().view;
  const task = useTask();
  const [said, setSaid] = useState('');
  const takeAll = () =>
    task.run(async () => {
      setSaid('');
      try {
        for await (const file of account.exportJson()) saveFile(file);
        setSaid('Everything is in the file.');
      } catch (error) {
        if (error instanceof ApiError) throw error;
        // Own data is there at once, also without a server: then it is what this device knows.
        saveFile(new File([JSON.stringify(hero, null, 2)], `dopamine-hero-${hero.today.date}.json`, { type: 'application/json' }));
        setSaid('The server did not give its file, so this one holds what this device knows of the hero.');
      }
    });
  const takeLedger = () =>
    task.run(async () => {
      setSaid('');
      saveFile(await account.ledgerCsv());
      setSaid('Every line is in the file.');
    });
  return (
    <>
      <div className="controls">
        <button type="button" aria-disabled={task.busy} onClick={takeAll}>
          Everything (JSON)
        </button>
        <button type="button" aria-disabled={task.busy} onClick={takeLedger}>
          Energy and dopamine, line by line (CSV)
        </button>
      </div>
      <FormProblem problem={task.problem} />
      <p className="quiet" role="status">
        {task.busy ? 'One moment…' : said}
      </p>
    </>
  );
}

function saveFile(file: File): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = url;
  link.download = file.name;
  link.click();
  // Some browsers begin to read only after this turn.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
