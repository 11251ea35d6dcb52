/** A hero as its player sees it: the same sections, as tables. */

import type { Hero, OwnedModule, Session, Task } from '@dopamine-hero/sdk';
import { count, duration, percent, words } from '../format';
import { Amount } from '../parts/amount';
import { Chip } from '../parts/chip';
import { Panel } from '../parts/page';
import { RackView } from '../parts/rack';
import { Facts, Table } from '../parts/table';
import { Time } from '../parts/time';

export function HeroView({ hero }: { hero: Hero }) {
  return (
    <div className="hero">
      <div className="columns">
        <Wallet hero={hero} />
        <Showing hero={hero} />
        <Settings hero={hero} />
      </div>
      <Running hero={hero} />
      <Panel title="Rack">
        <RackView rack={hero.rack} />
      </Panel>
      <Modules hero={hero} />
      <Tasks tasks={hero.tasks} />
      <Kept hero={hero} />
    </div>
  );
}

function Wallet({ hero }: { hero: Hero }) {
  const { wallet } = hero;
  return (
    <Panel title="Wallet">
      <Facts
        facts={[
          ['Energy', <Amount key="energy" of="energy" value={wallet.energy_me} />],
          ['Dopamine', <Amount key="dopamine" of="dopamine" value={wallet.dopamine_md} />],
          ['Energy ever', <Amount key="ever" of="energy" value={wallet.lifetime_energy_me} />],
          ['Level', wallet.next_level_xp === null ? `${wallet.level}, the highest` : `${wallet.level}, next at ${count(wallet.next_level_xp)} E ever`],
        ]}
      />
    </Panel>
  );
}

function Showing({ hero }: { hero: Hero }) {
  const { streak, today, statistics } = hero;
  return (
    <Panel title="Showing up">
      <Facts
        facts={[
          ['Streak', `${streak.days} days, longest ${streak.longest_days}`],
          ['Shields', `${streak.shields} of ${streak.shields_max}`],
          ['Active days', count(streak.active_days)],
          ['Today', `${today.date}: ${duration(today.focus_ms)}${today.active ? ', counts' : ', does not count yet'}${today.goal_reached ? ', goal reached' : ''}`],
          ['Focus ever', `${duration(statistics.focus_ms)} in ${count(statistics.sessions)} sessions`],
          ['Tasks done', count(statistics.tasks_done)],
          ['Comebacks', count(statistics.comebacks)],
        ]}
      />
    </Panel>
  );
}

function Settings({ hero }: { hero: Hero }) {
  const { profile } = hero;
  const start = `${String(Math.floor(profile.day_start_minutes / 60)).padStart(2, '0')}:${String(profile.day_start_minutes % 60).padStart(2, '0')}`;
  return (
    <Panel title="Profile">
      <Facts
        facts={[
          ['Name', profile.name],
          ['Zone', profile.next_time_zone === null ? profile.time_zone : `${profile.time_zone}, then ${profile.next_time_zone}`],
          ['Day starts', start],
          ['Daily goal', `${profile.daily_goal_minutes} min`],
          ['Vacation', profile.vacation_until === null ? 'none' : `until ${profile.vacation_until}`],
          ['Wears', profile.equipped.length === 0 ? 'nothing' : profile.equipped.join(', ')],
        ]}
      />
    </Panel>
  );
}

function Running({ hero }: { hero: Hero }) {
  const { session, on_break, to_confirm } = hero.focus;
  return (
    <Panel title="Focus">
      {session === null && on_break === null && to_confirm === null && <p className="quiet">Nothing runs.</p>}
      {session !== null && <OpenSession session={session} />}
      {on_break !== null && (
        <p>
          A break since <Time ms={on_break.started_at_ms} />, planned for {duration(on_break.planned_ms)}.
        </p>
      )}
      {to_confirm !== null && (
        <p>
          Session {to_confirm.session_id} asks “still you?”: <Time ms={to_confirm.started_at_ms} /> to <Time ms={to_confirm.ended_at_ms} />.
        </p>
      )}
    </Panel>
  );
}

function OpenSession({ session }: { session: Session }) {
  const mode = typeof session.mode === 'string' ? session.mode : Object.keys(session.mode).join();
  return (
    <Facts
      facts={[
        ['Session', `${session.session_id}, ${session.state}`],
        ['Kind', `${mode}, ${session.category}`],
        ['Since', <Time key="since" ms={session.started_at_ms} />],
        ['Focused', `${duration(session.focus_ms_at_anchor)}${session.planned_ms === null ? '' : ` of ${duration(session.planned_ms)}`}, at the last change`],
        ['Interruptions', session.interruptions],
        ['Energy so far', <Amount key="energy" of="energy" value={session.progress.energy_me} />],
        ['Dopamine so far', <Amount key="dopamine" of="dopamine" value={session.progress.dopamine_md} />],
        ...(session.intention === null ? [] : [['Intention', session.intention] as const]),
      ]}
    />
  );
}

function Modules({ hero }: { hero: Hero }) {
  const { modules, assembly, rack } = hero;
  const placed = new Set(rack.placements.map((placement) => placement.module_id));
  const powered = new Set(rack.powered);
  const place = (module: OwnedModule) => (powered.has(module.module_id) ? 'in the rack, powered' : placed.has(module.module_id) ? 'in the rack, not powered' : 'put away');
  return (
    <Panel title="Modules">
      <Table
        caption="Owned modules"
        rows={modules}
        keyOf={(module) => module.module_id}
        empty="No module yet."
        columns={[
          { name: 'Module', isHead: true, cell: (module) => <code>{module.module_id}</code> },
          { name: 'Level', isNumber: true, cell: (module) => module.level },
          { name: 'Where', cell: place },
          { name: 'Next level', isNumber: true, cell: (module) => (module.upgrade_md === null ? 'highest' : <Amount of="dopamine" value={module.upgrade_md} />) },
          { name: 'Sells for', isNumber: true, cell: (module) => <Amount of="energy" value={module.sell_me} /> },
        ]}
      />
      <h3>In assembly, {assembly.jobs.length} of {assembly.slots} slots</h3>
      <Table
        caption="Modules in assembly"
        rows={assembly.jobs}
        keyOf={(job) => job.job_id}
        empty="Nothing is being built."
        columns={[
          { name: 'Job', isHead: true, cell: (job) => job.job_id },
          { name: 'Module', cell: (job) => <code>{job.module_id}</code> },
          { name: 'Work done', isNumber: true, cell: (job) => percent((job.done_ms_at_anchor / Math.max(1, job.work_ms)) * 1_000) },
          { name: 'Done', cell: (job) => <Time ms={job.done_at_ms} as="relative" /> },
        ]}
      />
      {assembly.blueprint !== null && (
        <p>
          Blueprint <code>{assembly.blueprint.module_id}</code>: <Amount of="energy" value={assembly.blueprint.paid_me} /> of <Amount of="energy" value={assembly.blueprint.price_me} /> paid.
        </p>
      )}
    </Panel>
  );
}

function Tasks({ tasks }: { tasks: readonly Task[] }) {
  return (
    <Panel title="Tasks" about="Open ones, and those done in the last days.">
      <Table
        caption="Tasks"
        rows={tasks}
        keyOf={(task) => task.task_id}
        empty="No task."
        columns={[
          { name: 'Id', isNumber: true, cell: (task) => task.task_id },
          { name: 'Title', isHead: true, cell: (task) => (task.parent_id === null ? task.title : `${task.title} (part of ${task.parent_id})`) },
          { name: 'State', cell: (task) => (task.done_at_ms === null ? 'open' : <Chip tone="good">done</Chip>) },
          { name: 'Kind', cell: (task) => `${task.category}, ${task.priority}` },
          { name: 'Due', cell: (task) => task.due_on ?? task.occurrence_on ?? '' },
          { name: 'Focus', isNumber: true, cell: (task) => duration(task.focus_ms) },
          { name: 'Pays', isNumber: true, cell: (task) => <Amount of="energy" value={task.reward_me} /> },
        ]}
      />
    </Panel>
  );
}

function Kept({ hero }: { hero: Hero }) {
  return (
    <Panel title="Achievements and presets">
      <Table
        caption="Achievements"
        rows={hero.achievements}
        keyOf={(one) => one.achievement_id}
        empty="No achievement yet."
        columns={[
          { name: 'Achievement', isHead: true, cell: (one) => words(one.achievement_id) },
          { name: 'When', cell: (one) => <Time ms={one.at_ms} /> },
        ]}
      />
      <p className="quiet">
        Presets: {hero.presets.presets.length === 0 ? 'none' : hero.presets.presets.map((preset) => `${preset.name} (${preset.category})`).join(', ')}, {hero.presets.slots} slots.
      </p>
    </Panel>
  );
}
