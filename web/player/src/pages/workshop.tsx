import { type Job, timer } from '@dopamine-hero/sdk';
import { useState } from 'react';
import { FACE, ModuleFace } from '../art/module-face';
import { type Catalogue, effectWords, KIND_WORDS, type ModuleKind, type ModuleSpec, moduleName, RARITY_WORDS } from '../catalogue';
import { duration, price } from '../format';
import { useClient, useGame, useNow } from '../game';
import { Icon } from '../parts/icon';
import { RadioGroup, type RadioOption } from '../parts/radio-group';

const KINDS: readonly RadioOption<ModuleKind>[] = (['generator', 'multiplier', 'modifier', 'special'] as const).map((value) => {
  return { value, words: KIND_WORDS[value].many };
});

export function Workshop({ catalogue }: { catalogue: Catalogue | null }) {
  const { view } = useGame();
  const { hero } = view;
  const [kind, setKind] = useState<ModuleKind>('generator');
  return (
    <main className="workshop">
      <h1>Workshop</h1>
      <section className="card" aria-labelledby="bench">
        <h2 id="bench">
          On the bench <span className="quiet">{hero.assembly.jobs.length} of {hero.assembly.slots} in use</span>
        </h2>
        {hero.assembly.jobs.length === 0 && <p className="quiet">Free. Assembly goes on while you are away, four times as fast while you focus.</p>}
        {hero.assembly.jobs.map((job) => (
          <Bench key={job.job_id} job={job} catalogue={catalogue} />
        ))}
        <Blueprint catalogue={catalogue} />
      </section>
      <RadioGroup label="Kind of module" look="segments" value={kind} options={KINDS} onChange={setKind} />
      <p className="quiet">{KIND_WORDS[kind].does}</p>
      {catalogue === null ? (
        <p className="quiet">The catalogue is on its way.</p>
      ) : (
        <ul className="modules">
          {catalogue.modules
            .filter((spec) => spec.kind === kind)
            .map((spec) => (
              <ModuleCard key={spec.id} spec={spec} catalogue={catalogue} />
            ))}
        </ul>
      )}
    </main>
  );
}

function Bench({ job, catalogue }: { job: Job; catalogue: Catalogue | null }) {
  const client = useClient();
  const { view } = useGame();
  const now = useNow(500);
  const name = moduleName(catalogue, job.module_id);
  const canFinish = job.finish_md > 0 && view.hero.wallet.dopamine_md >= job.finish_md;
  return (
    <div className="bench" data-testid="job">
      <p className="strong">{name}</p>
      <progress max={1} value={timer.jobShare(job, now)} aria-label={`Assembly of ${name}`} />
      <p className="quiet">
        {duration(timer.jobLeftMs(job, now))} left{job.speed_permille > 1_000 && ` · ×${job.speed_permille / 1_000} now`}
      </p>
      <div className="controls">
        <button type="button" disabled={!canFinish} onClick={() => client.send({ finish_assembly: { job_id: job.job_id } })}>
          Finish now · {price(job.finish_md)} D
        </button>
        <button type="button" className="link" onClick={() => client.send({ cancel_assembly: { job_id: job.job_id } })}>
          Cancel, all energy back
        </button>
      </div>
    </div>
  );
}

function Blueprint({ catalogue }: { catalogue: Catalogue | null }) {
  const client = useClient();
  const { assembly, wallet } = useGame().view.hero;
  const blueprint = assembly.blueprint;
  if (blueprint === null) return null;
  const left = blueprint.price_me - blueprint.paid_me;
  const pay = Math.min(left, Math.max(0, wallet.energy_me));
  return (
    <div className="bench">
      <p className="strong">
        {moduleName(catalogue, blueprint.module_id)} <span className="quiet">pinned</span>
      </p>
      <progress max={blueprint.price_me} value={blueprint.paid_me} aria-label="Paid so far" />
      <p className="quiet">
        {price(blueprint.paid_me)} of {price(blueprint.price_me)} E
      </p>
      <div className="controls">
        <button type="button" disabled={pay < 1} onClick={() => client.send({ pay_blueprint: { amount_me: pay } })}>
          Put {price(pay)} E in
        </button>
        <button type="button" className="link" onClick={() => client.send('unpin_blueprint')}>
          Let go, all energy back
        </button>
      </div>
    </div>
  );
}

/** What stands between the player and a module, in words; nothing if nothing does. */
export function missingWords(spec: ModuleSpec, have: { level: number; energyMe: number; freeSlots: number }): string | null {
  if (have.level < spec.hero_level) return `from level ${spec.hero_level} on`;
  if (have.energyMe < spec.cost_me) return `${price(spec.cost_me - have.energyMe)} E to go`;
  if (have.freeSlots < 1) return 'the bench is in use';
  return null;
}

function ModuleCard({ spec, catalogue }: { spec: ModuleSpec; catalogue: Catalogue }) {
  const client = useClient();
  const { view } = useGame();
  const { hero } = view;
  const owned = hero.modules.find((one) => one.module_id === spec.id);
  const job = hero.assembly.jobs.find((one) => one.module_id === spec.id);
  const isFree = hero.modules.length === 0 && hero.assembly.jobs.length === 0 && catalogue.rack.starters.includes(spec.id);
  const cost = isFree ? 0 : spec.cost_me;
  const freeSlots = hero.assembly.slots - hero.assembly.jobs.length;
  const missing = missingWords({ ...spec, cost_me: cost }, { level: hero.wallet.level, energyMe: hero.wallet.energy_me, freeSlots });
  const pending = view.pendingModules.has(spec.id);
  const canPin = hero.assembly.blueprint === null && hero.wallet.level >= spec.hero_level && hero.wallet.energy_me < cost;
  return (
    <li className="card module" data-owned={owned !== undefined} data-pending={pending} data-module={spec.id}>
      <svg viewBox={`-6 -6 ${FACE.width + 12} ${FACE.height + 12}`} aria-hidden="true">
        <ModuleFace moduleId={spec.id} name={spec.name} kind={spec.kind} rarity={spec.rarity} level={owned?.level ?? 1} lit={owned !== undefined} inputs={spec.inputs} />
      </svg>
      <div className="module-words">
        <h3>
          {spec.name}
          {owned && <span className="quiet"> · level {owned.level}</span>}
        </h3>
        <p className="rarity">
          <span aria-hidden="true">{'●'.repeat(RARITY_WORDS[spec.rarity].dots)}</span> {RARITY_WORDS[spec.rarity].name}
        </p>
        <ul className="effects">
          {spec.effects.map((effect) => (
            <li key={effectWords(effect)}>{effectWords(effect)}</li>
          ))}
        </ul>
        {!owned && !job && (
          <>
            <p className="quiet">
              {isFree ? 'Free' : `${price(cost)} E`} · {duration(spec.build_ms)} to build{spec.hero_level > 1 && ` · level ${spec.hero_level}`}
            </p>
            <div className="controls">
              <button type="button" className="primary" disabled={missing !== null || pending} onClick={() => client.send({ assemble_module: { module_id: spec.id } })}>
                {pending ? 'On its way' : 'Assemble'}
              </button>
              {canPin && (
                <button type="button" onClick={() => client.send({ pin_blueprint: { module_id: spec.id } })}>
                  Pin
                </button>
              )}
              {missing !== null && <span className="quiet">{missing}</span>}
            </div>
          </>
        )}
        {job && <p className="quiet">On the bench.</p>}
        {owned && <OwnedActions moduleId={spec.id} />}
      </div>
    </li>
  );
}

export function OwnedActions({ moduleId }: { moduleId: string }) {
  const client = useClient();
  const { view } = useGame();
  const owned = view.hero.modules.find((one) => one.module_id === moduleId);
  const [selling, setSelling] = useState(false);
  if (owned === undefined) return null;
  const isPlaced = view.hero.rack.placements.some((one) => one.module_id === moduleId);
  const { upgrade_md: upgrade } = owned;
  return (
    <div className="controls">
      {upgrade !== null && (
        <button type="button" disabled={view.hero.wallet.dopamine_md < upgrade} onClick={() => client.send({ upgrade_module: { module_id: moduleId } })}>
          <Icon name="dopamine" /> Level {owned.level + 1} · {price(upgrade)} D
        </button>
      )}
      {upgrade === null && <span className="quiet">Highest level</span>}
      {selling ? (
        <>
          <button
            type="button"
            onClick={() => {
              if (isPlaced) client.send({ remove_module: { module_id: moduleId } });
              client.send({ sell_module: { module_id: moduleId } });
            }}
          >
            Sell for {price(owned.sell_me)} E{owned.sell_md > 0 && ` and ${price(owned.sell_md)} D`}
          </button>
          <button type="button" className="link" onClick={() => setSelling(false)}>
            Keep it
          </button>
        </>
      ) : (
        <button type="button" className="link" onClick={() => setSelling(true)}>
          Sell
        </button>
      )}
    </div>
  );
}
