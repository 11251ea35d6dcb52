import type { DeviceLine } from '@dopamine-hero/sdk';
import { useEffect, useRef, useState } from 'react';
import { useClient } from '../game';
import { FormProblem, useTask } from './form';
import { useBrowser } from './session';

/** Where this account is logged in, this device first. */
export function Devices({ onLogout }: { onLogout: () => void }) {
  const { account } = useBrowser();
  const client = useClient();
  const task = useTask();
  const [devices, setDevices] = useState<DeviceLine[] | null>(null);
  const [said, setSaid] = useState('');
  const looked = useRef(false);
  const load = async () => setDevices(ordered(await account.devices()));
  useEffect(() => {
    if (looked.current) return;
    looked.current = true;
    task.run(load);
  });
  const others = devices?.filter((device) => !device.current) ?? [];
  const signOut = (gone: readonly DeviceLine[]) =>
    task.run(async () => {
      setSaid('');
      for (const device of gone) await account.signOut(device.device_id);
      await load();
      setSaid(gone.length === 1 ? `${gone[0]?.name ?? 'The device'} is signed out.` : 'All other devices are signed out.');
    });
  return (
    <section className="card" aria-label="Devices">
      <h2>Devices</h2>
      {devices === null && task.busy && <p role="status">Asking the server…</p>}
      <ul className="devices">
        {devices?.map((device) => (
          <li key={device.device_id} data-current={device.current}>
            <span>
              <strong>{nameOf(device)}</strong>
              {device.current && <span className="this-one">this one</span>}
              <span className="quiet">{factsOf(device, client.clock.nowMs())}</span>
            </span>
            <button type="button" aria-label={`Sign out ${nameOf(device)}${device.current ? ', this one' : ''}`} onClick={() => (device.current ? onLogout() : signOut([device]))}>
              Sign out
            </button>
          </li>
        ))}
      </ul>
      {others.length > 1 && (
        <div className="controls">
          <button type="button" onClick={() => signOut(others)}>
            Sign out all others
          </button>
        </div>
      )}
      <p className="quiet" role="status">
        {said}
      </p>
      <FormProblem problem={task.problem} />
    </section>
  );
}

function ordered(devices: readonly DeviceLine[]): DeviceLine[] {
  return [...devices].sort((a, b) => Number(b.current) - Number(a.current) || b.last_seen_ms - a.last_seen_ms);
}

function nameOf(device: DeviceLine): string {
  if (device.name !== '') return device.name;
  return device.kind === 'guest' ? 'A device from before the account' : 'A device without a name';
}

function factsOf(device: DeviceLine, nowMs: number): string {
  const since = `since ${new Date(device.created_at_ms).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })}`;
  return device.current ? since : `last seen ${agoWords(device.last_seen_ms, nowMs)}, ${since}`;
}

/** `just now`, `12 min ago`, `3 h ago`, `5 days ago`. */
export function agoWords(atMs: number, nowMs: number): string {
  const minutes = Math.floor((nowMs - atMs) / 60_000);
  if (minutes < 2) return 'just now';
  if (minutes < 90) return `${minutes} min ago`;
  const hours = Math.round(minutes / 60);
  if (hours < 36) return `${hours} h ago`;
  return `${Math.round(hours / 24)} days ago`;
}
