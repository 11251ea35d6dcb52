import { type FormEvent, useState } from 'react';
import { FACE, ModuleFace } from '../art/module-face';
import { type Catalogue, effectWords, moduleName, SYNERGY_WORDS } from '../catalogue';
import { perMinute, price } from '../format';
import { useClient, useGame } from '../game';
import { Icon } from '../parts/icon';
import { useSettings } from '../settings';
import { type BoardProps, EMPTY_HAND, type Hand, RackBoard } from './rack-board';
import { cableGoals, cellOf, CORE } from './rack-geometry';
import { OwnedActions } from './workshop';

export function RackPage({ catalogue }: { catalogue: Catalogue | null }) {
  const client = useClient();
  const { view } = useGame();
  const { hero } = view;
  const { rack } = hero;
  const [hand, setHand] = useState<Hand>(EMPTY_HAND);
  const [words, say] = useState('');
  const props: BoardProps = { catalogue, hand, onHand: setHand, say };
  const running = hero.focus.session !== null;
  return (
    <main className="rack-page">
      <h1>Rack</h1>
      <section className="rack-facts" aria-label="What the rack does">
        <p>
          <span className="dopamine fact-number">{perMinute(rack.dopamine_rate_ud_per_s)}</span> dopamine a minute
        </p>
        <p>
          <span className="energy fact-number">+{(rack.energy_bonus_permille / 10).toLocaleString('en-US')} %</span> energy
        </p>
        <button type="button" className="primary" onClick={() => client.send('auto_patch')} disabled={hero.modules.length === 0}>
          Patch it for me
        </button>
      </section>
      {running && <p className="quiet">Changes count from the next session on.</p>}
      <div className="rack-columns">
        <div>
          <RackBoard {...props} />
          <p className="rack-say" role="status">
            {words}
          </p>
        </div>
        <aside>
          <Tray {...props} />
          <Selected {...props} />
          <Synergies />
        </aside>
      </div>
      <details className="card">
        <summary>The rack as a list</summary>
        <RackList catalogue={catalogue} />
      </details>
      <Presets />
      <Cosmetics catalogue={catalogue} />
    </main>
  );
}

function Tray({ catalogue, hand, onHand, say }: BoardProps) {
  const { hero } = useGame().view;
  const free = hero.modules.filter((one) => cellOf(hero.rack, one.module_id) === null);
  if (hero.modules.length === 0) return <p className="quiet">No module yet. The workshop has a free one for your first session.</p>;
  if (free.length === 0) return null;
  return (
    <section className="card" aria-label="Not in the rack">
      <h2>Not in the rack</h2>
      <ul className="tray">
        {free.map(({ module_id }) => {
          const spec = catalogue?.modules.find((one) => one.id === module_id);
          const name = moduleName(catalogue, module_id);
          return (
            <li key={module_id}>
              <button
                type="button"
                aria-pressed={hand.held === module_id}
                onClick={() => {
                  onHand({ ...EMPTY_HAND, held: hand.held === module_id ? null : module_id });
                  say(hand.held === module_id ? 'Let go.' : `${name} in your hand. Choose a cell.`);
                }}
              >
                <svg viewBox={`-6 -6 ${FACE.width + 12} ${FACE.height + 12}`} aria-hidden="true">
                  <ModuleFace moduleId={module_id} name={name} kind={spec?.kind ?? 'generator'} rarity={spec?.rarity ?? 'common'} inputs={spec?.inputs ?? 1} />
                </svg>
                <span className="visually-hidden">Pick up {name}</span>
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function Selected({ catalogue, hand, onHand, say }: BoardProps) {
  const client = useClient();
  const { hero } = useGame().view;
  const moduleId = hand.selected ?? hand.cableFrom;
  const spec = catalogue?.modules.find((one) => one.id === moduleId);
  if (moduleId === null || spec === undefined || cellOf(hero.rack, moduleId) === null) return null;
  const cable = hero.rack.cables.find((one) => one.from === moduleId);
  return (
    <section className="card" aria-label={spec.name}>
      <h2>{spec.name}</h2>
      <ul className="effects">
        {spec.effects.map((effect) => (
          <li key={effectWords(effect)}>{effectWords(effect)}</li>
        ))}
      </ul>
      <p className="quiet">{hero.rack.powered.includes(moduleId) ? 'Powered.' : 'Not powered: it needs a generator and a way to the core.'}</p>
      <div className="controls">
        <button
          type="button"
          aria-pressed={hand.cableFrom === moduleId}
          onClick={() => {
            onHand({ ...EMPTY_HAND, cableFrom: moduleId });
            say('Choose where the cable goes.');
          }}
        >
          Cable to …
        </button>
        {cable && (
          <button type="button" onClick={() => client.send({ disconnect_cable: { from: moduleId } })}>
            Unplug
          </button>
        )}
        <button
          type="button"
          onClick={() => {
            client.send({ remove_module: { module_id: moduleId } });
            onHand(EMPTY_HAND);
          }}
        >
          Take out
        </button>
      </div>
      <OwnedActions moduleId={moduleId} />
    </section>
  );
}

function Synergies() {
  const { rack } = useGame().view.hero;
  const found = Object.entries(SYNERGY_WORDS);
  return (
    <section className="card" aria-label="Synergies">
      <h2>
        Synergies <span className="quiet">{rack.synergies_found.length} of {found.length} found</span>
      </h2>
      <ul className="synergies">
        {found.map(([id, { name, does }]) => {
          const known = rack.synergies_found.includes(id);
          const works = rack.synergies.includes(id);
          return (
            <li key={id} data-works={works}>
              <span className="lamp" aria-hidden="true" />
              <span>
                <strong>{known ? name : 'Not found yet'}</strong>
                <span className="quiet">{known ? `${does}${works ? ' · works now' : ''}` : `a hint: ${does.split(' ').slice(0, 3).join(' ')} …`}</span>
              </span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function RackList({ catalogue }: { catalogue: Catalogue | null }) {
  const client = useClient();
  const { hero } = useGame().view;
  const { rack } = hero;
  const cells = Array.from({ length: rack.columns * rack.rows }, (_, cell) => cell);
  if (hero.modules.length === 0) return <p className="quiet">Nothing owned yet.</p>;
  return (
    <ul className="rack-list">
      {hero.modules.map(({ module_id }) => {
        const name = moduleName(catalogue, module_id);
        const cell = cellOf(rack, module_id);
        const to = rack.cables.find((one) => one.from === module_id)?.to ?? '';
        const goals = new Set([...cableGoals(hero, catalogue, module_id), ...(to === '' ? [] : [to])]);
        return (
          <li key={module_id}>
            <strong>{name}</strong>
            <span className="quiet">{rack.powered.includes(module_id) ? 'powered' : 'not powered'}</span>
            <label>
              <span>Place of {name}</span>
              <select
                value={cell ?? ''}
                onChange={(event) => {
                  if (event.target.value === '') client.send({ remove_module: { module_id } });
                  else client.send({ place_module: { module_id, cell: Number(event.target.value) } });
                }}
              >
                <option value="">not in the rack</option>
                {cells
                  .filter((one) => one === cell || !rack.placements.some((other) => other.cell === one))
                  .map((one) => (
                    <option key={one} value={one}>
                      row {Math.floor(one / rack.columns) + 1}, column {(one % rack.columns) + 1}
                    </option>
                  ))}
              </select>
            </label>
            {cell !== null && (
              <label>
                <span>Cable of {name}</span>
                <select
                  value={to}
                  onChange={(event) => {
                    if (event.target.value === '') client.send({ disconnect_cable: { from: module_id } });
                    else client.send({ connect_cable: { from: module_id, to: event.target.value } });
                  }}
                >
                  <option value="">no cable</option>
                  {[...goals].map((goal) => (
                    <option key={goal} value={goal}>
                      to {goal === CORE ? 'the core' : moduleName(catalogue, goal)}
                    </option>
                  ))}
                </select>
              </label>
            )}
          </li>
        );
      })}
    </ul>
  );
}

function Presets() {
  const client = useClient();
  const { hero } = useGame().view;
  const { presets } = hero;
  const [copied, setCopied] = useState<number | null>(null);
  const used = new Set(presets.presets.map((one) => one.slot));
  const free = Array.from({ length: presets.slots }, (_, slot) => slot).find((slot) => !used.has(slot));
  return (
    <section className="card" aria-label="Presets">
      <h2>
        Presets <span className="quiet">{presets.presets.length} of {presets.slots}</span>
      </h2>
      <ul className="presets">
        {presets.presets.map((preset) => (
          <li key={preset.slot}>
            <span className="strong">{preset.name}</span>
            {presets.queued_slot === preset.slot && <span className="quiet">will be loaded after this session</span>}
            <button type="button" onClick={() => client.send({ load_preset: { slot: preset.slot } })}>
              Load
            </button>
            <button
              type="button"
              className="link"
              onClick={() => void navigator.clipboard.writeText(preset.code).then(() => setCopied(preset.slot), () => setCopied(null))}
            >
              {copied === preset.slot ? 'Copied' : 'Copy code'}
            </button>
            <button type="button" className="link" onClick={() => client.send({ delete_preset: { slot: preset.slot } })}>
              Remove
            </button>
          </li>
        ))}
      </ul>
      {free === undefined ? (
        presets.next_slot_md !== null && (
          <button type="button" disabled={hero.wallet.dopamine_md < presets.next_slot_md} onClick={() => client.send('buy_preset_slot')}>
            One more slot · {price(presets.next_slot_md)} D
          </button>
        )
      ) : (
        <PresetForms slot={free} />
      )}
    </section>
  );
}

function PresetForms({ slot }: { slot: number }) {
  const client = useClient();
  const { category } = useSettings();
  const [name, setName] = useState('');
  const [code, setCode] = useState('');
  const save = (event: FormEvent) => {
    event.preventDefault();
    client.send({ save_preset: { slot, name: name.trim(), category } });
    setName('');
  };
  const take = (event: FormEvent) => {
    event.preventDefault();
    client.send({ import_preset: { slot, code: code.trim() } });
    setCode('');
  };
  return (
    <div className="preset-forms">
      <form className="quick-add" onSubmit={save}>
        <input value={name} maxLength={40} placeholder="Keep this rack as …" aria-label="Name of the preset" onChange={(event) => setName(event.target.value)} />
        <button type="submit" disabled={name.trim() === ''}>
          Keep
        </button>
      </form>
      <form className="quick-add" onSubmit={take}>
        <input value={code} maxLength={512} placeholder="A code from somebody" aria-label="Code of a shared rack" onChange={(event) => setCode(event.target.value)} />
        <button type="submit" disabled={code.trim() === ''}>
          Import
        </button>
      </form>
    </div>
  );
}

function Cosmetics({ catalogue }: { catalogue: Catalogue | null }) {
  const client = useClient();
  const { hero } = useGame().view;
  if (catalogue === null || catalogue.cosmetics.length === 0) return null;
  return (
    <details className="card">
      <summary>Looks</summary>
      <ul className="presets">
        {catalogue.cosmetics.map((one) => {
          const owned = hero.profile.cosmetics.includes(one.id);
          const worn = hero.profile.equipped.includes(one.id);
          return (
            <li key={one.id}>
              <span className="swatch" data-cosmetic={one.id} aria-hidden="true" />
              <span className="strong">{one.name}</span>
              {worn && <span className="quiet">in use</span>}
              {owned && !worn && (
                <button type="button" onClick={() => client.send({ equip_cosmetic: { cosmetic_id: one.id } })}>
                  Use
                </button>
              )}
              {!owned && (
                <button type="button" disabled={hero.wallet.dopamine_md < one.cost_md} onClick={() => client.send({ buy_cosmetic: { cosmetic_id: one.id } })}>
                  <Icon name="dopamine" /> {price(one.cost_md)} D
                </button>
              )}
            </li>
          );
        })}
      </ul>
    </details>
  );
}
