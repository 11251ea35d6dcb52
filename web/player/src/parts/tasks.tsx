import type { Priority, Task } from '@dopamine-hero/sdk';
import { type FormEvent, useRef, useState } from 'react';
import { addTask, startMinutes } from '../actions';
import { CATEGORY_WORDS } from '../catalogue';
import { duration, price, shortDate } from '../format';
import { useClient, useGame } from '../game';
import { Icon } from './icon';
import { recurrenceWords } from './recurrence';

const PRIORITY_ORDER: Record<Priority, number> = { high: 0, medium: 1, low: 2 };
const PRIORITY_MARKS: Record<Priority, string> = { high: '▲ high', medium: '', low: '▽ low' };

/** Open ones first: by date, then importance, then age. The newest done first after them. */
export function orderTasks(tasks: readonly Task[]): Task[] {
  return [...tasks].sort((a, b) => {
    if ((a.done_at_ms === null) !== (b.done_at_ms === null)) return a.done_at_ms === null ? -1 : 1;
    if (a.done_at_ms !== null && b.done_at_ms !== null) return b.done_at_ms - a.done_at_ms;
    const due = (a.due_on ?? '9999').localeCompare(b.due_on ?? '9999');
    return due || PRIORITY_ORDER[a.priority] - PRIORITY_ORDER[b.priority] || a.created_at_ms - b.created_at_ms;
  });
}

export function useOrderedTasks(): Task[] {
  return orderTasks(useGame().view.hero.tasks);
}

export function QuickAdd() {
  const client = useClient();
  const [title, setTitle] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    addTask(client, title);
    setTitle('');
  };
  return (
    <form className="quick-add" onSubmit={submit}>
      <input
        id="quick-add"
        value={title}
        maxLength={200}
        placeholder="Add a task"
        aria-label="Add a task"
        autoComplete="off"
        onChange={(event) => setTitle(event.target.value)}
      />
      <button type="submit" className="icon-button" aria-label="Add" disabled={title.trim() === ''}>
        <Icon name="plus" />
      </button>
    </form>
  );
}

export function TaskRow({ task, onEdit }: { task: Task; onEdit?: () => void }) {
  const client = useClient();
  const { view } = useGame();
  const isDone = task.done_at_ms !== null;
  const pending = view.pendingTasks.has(task.task_id);
  const [splitting, setSplitting] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const subtasks = view.hero.tasks.filter((one) => one.parent_id === task.task_id);
  const toggle = () => {
    const wish = { task_id: task.task_id, occurrence_on: task.occurrence_on };
    client.send(isDone ? { reopen_task: wish } : { complete_task: wish });
  };
  return (
    <li className="task" data-done={isDone} data-pending={pending} data-testid="task">
      <div className="task-line">
        <label className="task-title">
          <input type="checkbox" checked={isDone} disabled={!isDue(task)} onChange={toggle} />
          <span>{task.title}</span>
        </label>
        <TaskFacts task={task} />
        <span className="task-actions">
          {!isDone && (
            <button type="button" className="link" title="Five minutes for this" onClick={() => startMinutes(client, 5, task.task_id)}>
              5 min
            </button>
          )}
          {!isDone && task.parent_id === null && (
            <button type="button" className="link" aria-expanded={splitting} onClick={() => setSplitting(!splitting)}>
              Split it
            </button>
          )}
          {onEdit && (
            <button type="button" className="link" onClick={onEdit}>
              Edit
            </button>
          )}
        </span>
      </div>
      {subtasks.length > 0 && (
        <ul className="tasks subtasks">
          {orderTasks(subtasks).map((one) => (
            <TaskRow key={one.task_id} task={one} />
          ))}
        </ul>
      )}
      {splitting && (
        <form
          className="quick-add"
          onSubmit={(event) => {
            event.preventDefault();
            if (field.current === null) return;
            addTask(client, field.current.value, task.task_id);
            field.current.value = '';
          }}
        >
          <input ref={field} autoFocus maxLength={200} placeholder="The first small step" aria-label={`A step of ${task.title}`} />
          <button type="submit" className="icon-button" aria-label="Add the step">
            <Icon name="plus" />
          </button>
        </form>
      )}
    </li>
  );
}

/** A task that repeats can be ticked once one of its dates has come. */
export function isDue(task: Task): boolean {
  return task.recurrence === null || task.occurrence_on !== null;
}

function TaskFacts({ task }: { task: Task }) {
  const facts = [
    PRIORITY_MARKS[task.priority],
    task.category === 'none' ? '' : `${CATEGORY_WORDS[task.category].mark} ${CATEGORY_WORDS[task.category].name}`,
    task.estimate_minutes > 0 ? `~${duration(task.estimate_minutes * 60_000)}` : '',
    recurrenceWords(task.recurrence),
    isDue(task) ? '' : 'not due yet',
    task.due_on === null || (task.recurrence !== null && isDue(task)) ? '' : shortDate(task.due_on),
    task.focus_ms >= 60_000 ? `${duration(task.focus_ms)} in` : '',
    task.done_at_ms === null && task.reward_me > 0 ? `${price(task.reward_me)} E` : '',
  ].filter((fact) => fact !== '');
  return <span className="task-facts">{facts.join(' · ')}</span>;
}
