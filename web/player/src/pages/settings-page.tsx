import type { ReactNode } from 'react';
import { RadioGroup } from '../parts/radio-group';
import { changeSettings, type Settings, useSettings } from '../settings';
import { chime, unlockSound } from '../sound';

export function SettingsPage() {
  const settings = useSettings();
  return (
    <main className="settings">
      <h1>Settings</h1>
      <p className="quiet">Kept on this device.</p>
      <section className="card">
        <h2>Look</h2>
        <Choice
          label="Theme"
          value={settings.theme}
          options={{ system: 'As the system', dark: 'Dark', light: 'Light', contrast: 'High contrast' }}
          onChange={(theme) => changeSettings({ theme })}
        />
        <Choice
          label="Text size"
          value={String(settings.textPercent)}
          options={{ '100': '100 %', '125': '125 %', '150': '150 %', '200': '200 %' }}
          onChange={(value) => changeSettings({ textPercent: Number(value) as Settings['textPercent'] })}
        />
        <Switch name="lowStimulation" label="Low stimulation" hint="The timer and one task. Nothing else." />
      </section>
      <section className="card">
        <h2>Motion and effects</h2>
        <Choice
          label="Motion"
          value={settings.motion}
          options={{ system: 'As the system', full: 'Full', reduced: 'Reduced' }}
          onChange={(motion) => changeSettings({ motion })}
        />
        <Choice
          label="Celebration"
          value={settings.celebration}
          options={{ silent: 'Silent', soft: 'Soft', party: 'Party' }}
          onChange={(celebration) => changeSettings({ celebration })}
        />
        <Switch name="sound" label="Sound" hint="A soft chime at the start and at the end.">
          <button
            type="button"
            className="link"
            onClick={() => {
              unlockSound();
              chime('end');
            }}
          >
            Listen
          </button>
        </Switch>
        <Switch name="particles" label="Particles" hint="Only at the level “party”." />
        <Switch name="countUp" label="Count-up" hint="Energy grows as you look." />
        <Switch name="vibration" label="Vibration" hint="On devices that can." />
      </section>
      <section className="card">
        <h2>Keys</h2>
        <Switch name="shortcuts" label="Single-key shortcuts" hint="Space, I, B, N, R and ?. Escape always works." />
      </section>
    </main>
  );
}

type SwitchName = { [Name in keyof Settings]: Settings[Name] extends boolean ? Name : never }[keyof Settings];

function Switch({ name, label, hint, children }: { name: SwitchName; label: string; hint: string; children?: ReactNode }) {
  const settings = useSettings();
  return (
    <div className="setting">
      <label>
        <input type="checkbox" role="switch" checked={settings[name]} onChange={(event) => changeSettings({ [name]: event.target.checked })} />
        <span>
          {label}
          <span className="quiet">{hint}</span>
        </span>
      </label>
      {children}
    </div>
  );
}

interface ChoiceProps<Value extends string> {
  label: string;
  value: Value;
  options: Record<Value, string>;
  onChange: (value: Value) => void;
}

function Choice<Value extends string>({ label, value, options, onChange }: ChoiceProps<Value>) {
  return (
    <div className="setting">
      <span aria-hidden="true">{label}</span>
      <RadioGroup
        label={label}
        look="segments"
        value={value}
        options={(Object.entries(options) as [Value, string][]).map(([one, words]) => ({ value: one, words }))}
        onChange={onChange}
      />
    </div>
  );
}
