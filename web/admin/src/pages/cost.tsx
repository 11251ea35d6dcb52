/** What this server should be, what the plan costs, and how the month goes. Nothing here is ever done by itself. */

import { useState } from 'react';
import type { Budget, BudgetAsk, Cost, Phase, Rightsizing, Verdict } from '../api.gen';
import { useApi } from '../context';
import { count, dollars, duration, percent } from '../format';
import { useLoaded } from '../loaded';
import { Chip, type Tone } from '../parts/chip';
import { Effect } from '../parts/effect';
import { Field } from '../parts/field';
import { Page, Panel } from '../parts/page';
import { Shown } from '../parts/problem';
import { Facts, Table } from '../parts/table';

const BUDGET_USD_MAX = 1_000_000;

export function CostPage() {
  const loaded = useLoaded<Cost>('/v1/cost');
  return (
    <Page title="Cost" about="Recommendations only: nothing here is ever done by itself.">
      <Shown of={loaded} what="the cost">
        {(cost) => (
          <>
            <RightsizingPanel rightsizing={cost.rightsizing} />
            <BudgetPanel budget={cost.budget} onDone={loaded.reload} />
            <Panel title="The plan" about={`Three phases, with the load that this server was measured to carry. Prices of ${cost.prices_of}.`}>
              <Phases phases={cost.phases} />
            </Panel>
          </>
        )}
      </Shown>
    </Page>
  );
}

const VERDICT: Readonly<Record<Verdict, { words: string; tone: Tone }>> = {
  unknown: { words: 'not known yet', tone: 'plain' },
  keep: { words: 'keep it', tone: 'good' },
  downsize: { words: 'a smaller one will do', tone: 'watch' },
  upsize: { words: 'a larger one is needed', tone: 'bad' },
};

function RightsizingPanel({ rightsizing }: { rightsizing: Rightsizing }) {
  const { words, tone } = VERDICT[rightsizing.verdict];
  const { load, saving_usd: saving } = rightsizing;
  return (
    <Panel title="Rightsizing">
      <p className="answer">
        <Chip tone={tone}>{words}</Chip> {rightsizing.reason}
      </p>
      <Facts
        facts={[
          ['Runs on', rightsizing.size],
          ['Should run on', rightsizing.recommended],
          ['A month', saving === 0 ? 'the same' : saving > 0 ? `${dollars(saving)} less` : `${dollars(-saving)} more`],
          ['Measured for', duration(load.measured_ms)],
          ['CPU', `${percent(load.cpu_mean_permille)} mean, ${percent(load.cpu_p95_permille)} at the 95th percentile`],
          ['Memory, highest', percent(load.memory_max_permille)],
          ['Players at once, most', count(load.players_max)],
          ['Players it carries', `${count(load.players_carried)} at 70 % CPU and 80 % memory`],
        ]}
      />
    </Panel>
  );
}

/** How far a month is, in thousandths of its budget. */
export function budgetShare(usd: number, budgetUsd: number): number {
  return budgetUsd <= 0 ? (usd > 0 ? 1_000 : 0) : (usd / budgetUsd) * 1_000;
}

function BudgetPanel({ budget, onDone }: { budget: Budget; onDone: () => void }) {
  const spent = budgetShare(budget.spent_usd, budget.budget_usd);
  const forecast = budgetShare(budget.forecast_usd, budget.budget_usd);
  const tone: Tone = spent >= 1_000 ? 'bad' : forecast >= 1_000 ? 'watch' : 'good';
  const words = spent >= 1_000 ? 'over the budget' : forecast >= 1_000 ? 'will be over the budget' : 'within the budget';
  return (
    <Panel title="This month’s budget">
      <p className="answer">
        <Chip tone={tone}>{words}</Chip> {dollars(budget.spent_usd)} of {dollars(budget.budget_usd)} so far, {dollars(budget.forecast_usd)} by the end of the month if it goes on like this.
      </p>
      <BudgetBar spent={spent} forecast={forecast} tone={tone} />
      <p className="quiet">
        Told at 50, 80 and 100 %{budget.told_to.length === 0 ? ', to nobody: neither mail nor Slack is set' : ` by ${budget.told_to.join(' and ')}`}. This month so far: {budget.passed_percent.length === 0 ? 'none was passed' : `${budget.passed_percent.join(', ')} %`}.
      </p>
      <EditBudget budget={budget} onDone={onDone} />
    </Panel>
  );
}

function BudgetBar({ spent, forecast, tone }: { spent: number; forecast: number; tone: Tone }) {
  const scale = Math.max(1_000, Math.min(2_000, Math.max(spent, forecast)));
  const x = (permille: number) => (Math.min(permille, scale) / scale) * 100;
  return (
    <div className="budget-bar" data-tone={tone}>
      <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
        <rect className="bar-ground" width="100" height="8" />
        <rect className="bar-forecast" width={x(forecast)} height="8" />
        <rect className="bar-full" width={x(spent)} height="8" />
        {[500, 800, 1_000].map((threshold) => (
          <rect key={threshold} className="bar-mark" x={Math.min(99.6, x(threshold) - 0.2)} width="0.4" height="8" />
        ))}
      </svg>
      <svg className="budget-marks" viewBox="0 0 100 5" aria-hidden="true">
        {[500, 800, 1_000].map((threshold) => (
          <text key={threshold} x={x(threshold)} y="3" textAnchor={threshold === 1_000 && scale === 1_000 ? 'end' : 'middle'}>
            {threshold / 10} %
          </text>
        ))}
      </svg>
    </div>
  );
}

function EditBudget({ budget, onDone }: { budget: Budget; onDone: () => void }) {
  const api = useApi();
  const [text, setText] = useState('');
  const usd = /^\d{1,7}$/.test(text.trim()) ? Number(text.trim()) : null;
  const off = text.trim() === '' ? 'Say another budget first.' : usd === null || usd < 1 || usd > BUDGET_USD_MAX ? `Whole dollars, 1 to ${count(BUDGET_USD_MAX)}.` : usd === budget.budget_usd ? 'That is the budget already.' : null;
  return (
    <div className="line-up">
      <Field label="New budget, $ a month" inputMode="numeric" placeholder={String(budget.budget_usd)} maxLength={7} value={text} onChange={setText} {...(text !== '' && off !== null ? { hint: off } : {})} />
      <div className="line-up-buttons">
        <Effect
          label="Change…"
          needs="owner"
          off={off}
          title={`Change the budget to ${dollars(usd ?? 0)}?`}
          says={<p>The budget goes from {dollars(budget.budget_usd)} to {dollars(usd ?? 0)} a month. Only the thresholds and what is told about them change; no server is touched.</p>}
          confirm="Change it"
          run={async (reason) => {
            if (usd === null) throw new Error('the budget is gone');
            const ask: BudgetAsk = { reason, budget_usd: usd };
            await api.post('/v1/cost/budget', ask);
            setText('');
            return `The budget is ${dollars(usd)} a month.`;
          }}
          onDone={onDone}
        />
      </div>
    </div>
  );
}

function Phases({ phases }: { phases: readonly Phase[] }) {
  return (
    <Table
      caption="Phases of the plan"
      rows={phases}
      keyOf={(phase) => phase.users_from}
      empty="There is no plan."
      columns={[
        { name: 'Users', isHead: true, cell: (phase) => `${count(phase.users_from)} to ${count(phase.users_to)}` },
        { name: 'At once', isNumber: true, cell: (phase) => count(phase.players_at_once) },
        { name: 'Servers', cell: (phase) => `${phase.servers} × ${phase.size}` },
        {
          name: 'Parts',
          cell: (phase) => (
            <ul className="parts">
              {phase.parts.map(([name, usd]) => (
                <li key={name}>
                  {name} {dollars(usd)}
                </li>
              ))}
            </ul>
          ),
        },
        { name: 'In all', isNumber: true, cell: (phase) => <strong>{dollars(phase.total_usd)}</strong> },
        { name: 'Planned', isNumber: true, cell: (phase) => dollars(phase.planned_usd) },
        { name: 'Difference', isNumber: true, cell: (phase) => <Against total={phase.total_usd} planned={phase.planned_usd} /> },
      ]}
    />
  );
}

function Against({ total, planned }: { total: number; planned: number }) {
  const difference = total - planned;
  if (Math.abs(difference) < 0.005) return <Chip tone="good">as planned</Chip>;
  return difference < 0 ? <Chip tone="good">{dollars(-difference)} below</Chip> : <Chip tone="watch">{dollars(difference)} above</Chip>;
}
