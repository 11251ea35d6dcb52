import type { Recurrence } from '@dopamine-hero/sdk';
import { WEEKDAYS } from '../format';

const DAYS_MAX = 365;

type Kind = 'never' | 'every_days' | 'weekdays';

/** What a rule begins as when it is chosen. */
const FRESH: Record<Kind, Recurrence | null> = {
  never: null,
  every_days: { every_days: { days: 1 } },
  weekdays: { weekdays: { weekdays: [1, 2, 3, 4, 5] } },
};

function kindOf(rule: Recurrence | null): Kind {
  if (rule === null) return 'never';
  return 'every_days' in rule ? 'every_days' : 'weekdays';
}

/** `every day`, `every 3 days`, `Mon, Wed`, `Mon to Fri`; nothing for a task that does not repeat. */
export function recurrenceWords(rule: Recurrence | null): string {
  if (rule === null) return '';
  if ('every_days' in rule) return rule.every_days.days === 1 ? 'every day' : `every ${rule.every_days.days} days`;
  const days = [...rule.weekdays.weekdays].sort((a, b) => a - b);
  if (days.length === 7) return 'every day';
  const name = (weekday: number | undefined) => WEEKDAYS[(weekday ?? 1) - 1] ?? '';
  const isRow = days.length > 2 && days.every((day, index) => day === (days[0] ?? 0) + index);
  return isRow ? `${name(days[0])} to ${name(days.at(-1))}` : days.map(name).join(', ');
}

/** A weekday more or less; one always stays, because a rule without a day is none. */
export function toggleWeekday(weekdays: readonly number[], weekday: number): number[] {
  if (!weekdays.includes(weekday)) return [...weekdays, weekday].sort((a, b) => a - b);
  return weekdays.length === 1 ? [...weekdays] : weekdays.filter((one) => one !== weekday);
}

export function RecurrenceFields({ value, onChange }: { value: Recurrence | null; onChange: (rule: Recurrence | null) => void }) {
  return (
    <>
      <label>
        <span>Repeats</span>
        <select value={kindOf(value)} onChange={(event) => onChange(FRESH[event.target.value as Kind])}>
          <option value="never">never</option>
          <option value="every_days">every few days</option>
          <option value="weekdays">on weekdays</option>
        </select>
      </label>
      {value !== null && 'every_days' in value && (
        <label>
          <span>Every how many days</span>
          <input
            type="number"
            inputMode="numeric"
            min={1}
            max={DAYS_MAX}
            value={value.every_days.days}
            onChange={(event) => onChange({ every_days: { days: Math.max(1, Math.min(DAYS_MAX, Math.round(Number(event.target.value)))) } })}
          />
        </label>
      )}
      {value !== null && 'weekdays' in value && (
        <div className="chips wide" role="group" aria-label="On these weekdays">
          {WEEKDAYS.map((words, index) => (
            <button
              key={words}
              type="button"
              className="chip"
              aria-pressed={value.weekdays.weekdays.includes(index + 1)}
              onClick={() => onChange({ weekdays: { weekdays: toggleWeekday(value.weekdays.weekdays, index + 1) } })}
            >
              {words}
            </button>
          ))}
        </div>
      )}
    </>
  );
}
