/** Two heroes become one: first the picture of it, then one button. Nothing is overwritten. */

import type { ClaimPreview, Side } from '@dopamine-hero/sdk';
import { useEffect, useRef, useState } from 'react';
import { type Catalogue, moduleName } from '../catalogue';
import { amount, duration, price } from '../format';
import { useClient } from '../game';
import type { Go } from '../parts/navigation';
import { FormProblem, Heading, useTask } from './form';
import { useAuth, useBrowser } from './session';

type Found =
  | { step: 'preview'; preview: ClaimPreview }
  /** Commands of the guest that the server has not taken yet. */
  | { step: 'waiting'; commands: number }
  | { step: 'united'; united: Side };

export function Claim({ catalogue, onGo }: { catalogue: Catalogue | null; onGo: Go }) {
  const browser = useBrowser();
  const { guest } = useAuth();
  const client = useClient();
  const task = useTask();
  const [found, setFound] = useState<Found | null>(null);
  const looked = useRef(false);
  const look = () =>
    task.run(async () => {
      if (guest === null) return;
      const commands = await browser.sendWaiting(guest);
      if (commands > 0) return setFound({ step: 'waiting', commands });
      setFound({ step: 'preview', preview: await browser.account.previewClaim(guest.device_token) });
    });
  useEffect(() => {
    if (looked.current) return;
    looked.current = true;
    look();
  });
  const unite = () =>
    task.run(async () => {
      if (guest === null || found?.step !== 'preview') return;
      await browser.account.claim(guest.device_token);
      setFound({ step: 'united', united: found.preview.united });
      browser.auth.forgetGuest();
      client.reload();
    });
  const isOne = task.problem?.code === 'same_hero' || task.problem?.code === 'already_claimed';
  const forget = () => {
    browser.auth.forgetGuest();
    onGo('home');
  };

  if (found?.step === 'united') {
    return (
      <main className="account">
        <Heading key="united">One hero now</Heading>
        <section className="card">
          <p>
            Level {found.united.level}, {amount(found.united.energy_me)} energy, {duration(found.united.focus_ms)} of focus. All of it yours, on every device.
          </p>
          <div className="controls">
            <button type="button" className="primary" onClick={() => onGo('home')}>
              To the hero
            </button>
          </div>
        </section>
      </main>
    );
  }
  return (
    <main className="account">
      <Heading>Two heroes of yours</Heading>
      <section className="card">
        <p>One has lived on this device, one in your account. They can become one; this is how it would look.</p>
        {found?.step === 'preview' && <Sides preview={found.preview} />}
        {found?.step === 'preview' && <Added preview={found.preview} catalogue={catalogue} />}
        {found?.step === 'waiting' && <p>{waitingWords(found.commands)}</p>}
        {guest === null && <p>There is no second hero on this device.</p>}
        {task.busy && found === null && <p role="status">Looking at both…</p>}
        <FormProblem problem={task.problem} />
        <div className="controls">
          {isOne && (
            <button type="button" className="primary" onClick={forget}>
              Good
            </button>
          )}
          {!isOne && found?.step === 'preview' && (
            <button type="button" className="primary" aria-disabled={task.busy} onClick={unite}>
              {task.busy ? 'One moment…' : 'Bring it together'}
            </button>
          )}
          {!isOne && guest !== null && found?.step !== 'preview' && !task.busy && (
            <button type="button" className="primary" onClick={look}>
              Try again
            </button>
          )}
          {!isOne && (
            <button type="button" onClick={() => onGo('home')}>
              Keep both separate
            </button>
          )}
        </div>
        {guest !== null && !isOne && <p className="quiet">Kept separate, the hero of this device waits here for 30 days. Your account page has this again.</p>}
      </section>
    </main>
  );
}

export function waitingWords(commands: number): string {
  const what = commands === 1 ? '1 change' : `${commands} changes`;
  return `${what} of the hero on this device could not be saved yet, so nothing is brought together now. Nothing is lost: ${commands === 1 ? 'it waits' : 'they wait'} here.`;
}

const ROWS: readonly [string, (side: Side) => string][] = [
  ['Level', (side) => String(side.level)],
  ['Energy', (side) => amount(side.energy_me)],
  ['Dopamine', (side) => amount(side.dopamine_md)],
  ['Focus time', (side) => duration(side.focus_ms)],
  ['Sessions', (side) => String(side.sessions)],
  ['Active days', (side) => String(side.active_days)],
  ['Streak, days', (side) => String(side.streak_days)],
  ['Modules', (side) => String(side.modules)],
  ['Tasks', (side) => String(side.tasks)],
];

/** A table by its roles: in the narrow look its boxes are none to a browser, and their meaning must not go with them. */
function Sides({ preview }: { preview: ClaimPreview }) {
  const columns: [string, Side][] = [
    ['This device', preview.guest],
    ['Your account', preview.account],
    ['Together', preview.united],
  ];
  return (
    <div className="sides" role="table" aria-label="Both heroes, and what they would be together">
      <div className="sides-head" role="row">
        <span role="columnheader">
          <span className="visually-hidden">What</span>
        </span>
        {columns.map(([words]) => (
          <span key={words} role="columnheader">
            {words}
          </span>
        ))}
      </div>
      {ROWS.map(([words, value]) => (
        <div key={words} role="row">
          <span role="rowheader">{words}</span>
          {columns.map(([column, side]) => (
            <span key={column} role="cell" data-column={column}>
              {value(side)}
            </span>
          ))}
        </div>
      ))}
    </div>
  );
}

function Added({ preview, catalogue }: { preview: ClaimPreview; catalogue: Catalogue | null }) {
  const lines = addedLines(preview, (id) => moduleName(catalogue, id));
  return (
    <div>
      <h2>What your account gets</h2>
      <ul className="added">
        {lines.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
      <p className="quiet">Nothing is overwritten. What your account has, its rack included, stays as it is.</p>
    </div>
  );
}

export function addedLines(preview: ClaimPreview, nameOf: (moduleId: string) => string): string[] {
  const { guest, tasks_added: tasks, modules_added: modules, refunded_me: refunded } = preview;
  const lines: string[] = [];
  if (guest.focus_ms > 0) lines.push(`${duration(guest.focus_ms)} of focus in ${guest.sessions} ${guest.sessions === 1 ? 'session' : 'sessions'}`);
  if (modules.length > 0) lines.push(`${modules.length === 1 ? 'The module' : `${modules.length} modules:`} ${modules.map(nameOf).join(', ')}`);
  if (tasks > 0) lines.push(`${tasks} ${tasks === 1 ? 'task' : 'tasks'}`);
  if (refunded > 0) lines.push(`${price(refunded)} energy back for what both have`);
  return lines.length === 0 ? ['Nothing that it does not have already'] : lines;
}
