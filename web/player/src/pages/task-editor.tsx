import type { Category, Priority, Recurrence, Task } from '@dopamine-hero/sdk';
import { type Dispatch, type FormEvent, type SetStateAction, useState } from 'react';
import { CATEGORY_WORDS } from '../catalogue';
import { useClient } from '../game';
import { RecurrenceFields } from '../parts/recurrence';

/** What can be changed about a task, as it is being written. */
interface Draft {
  title: string;
  category: Category;
  priority: Priority;
  estimate: number;
  due: string;
  recurrence: Recurrence | null;
}

export function TaskEditor({ task, onClose }: { task: Task; onClose: () => void }) {
  const client = useClient();
  const [draft, setDraft] = useState<Draft>({
    title: task.title,
    category: task.category,
    priority: task.priority,
    estimate: task.estimate_minutes,
    due: task.due_on ?? '',
    recurrence: task.recurrence,
  });
  const save = (event: FormEvent) => {
    event.preventDefault();
    client.send({
      update_task: {
        task_id: task.task_id,
        title: draft.title.trim() === '' ? task.title : draft.title.trim(),
        category: draft.category,
        priority: draft.priority,
        estimate_minutes: Math.max(0, Math.min(480, Math.round(draft.estimate))),
        due_on: draft.due === '' ? null : draft.due,
        recurrence: draft.recurrence,
      },
    });
    onClose();
  };
  const remove = () => {
    client.send({ delete_task: { task_id: task.task_id } });
    onClose();
  };
  return (
    <li className="task">
      <form className="task-editor" onSubmit={save}>
        <Fields draft={draft} onChange={setDraft} />
        <RecurrenceFields value={draft.recurrence} onChange={(recurrence) => setDraft({ ...draft, recurrence })} />
        <div className="controls wide">
          <button type="submit" className="primary">
            Save
          </button>
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="button" className="link" onClick={remove}>
            Delete this task
          </button>
        </div>
      </form>
    </li>
  );
}

function Fields({ draft, onChange }: { draft: Draft; onChange: Dispatch<SetStateAction<Draft>> }) {
  const set = (change: Partial<Draft>) => onChange((before) => ({ ...before, ...change }));
  return (
    <>
      <label className="wide">
        <span>Title</span>
        <input autoFocus value={draft.title} maxLength={200} onChange={(event) => set({ title: event.target.value })} />
      </label>
      <label>
        <span>Importance</span>
        <select value={draft.priority} onChange={(event) => set({ priority: event.target.value as Priority })}>
          {(['low', 'medium', 'high'] as const).map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
      </label>
      <label>
        <span>Kind of work</span>
        <select value={draft.category} onChange={(event) => set({ category: event.target.value as Category })}>
          {(Object.keys(CATEGORY_WORDS) as Category[]).map((one) => (
            <option key={one} value={one}>
              {CATEGORY_WORDS[one].name}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>Estimate, minutes</span>
        <input type="number" min={0} max={480} step={5} value={draft.estimate} onChange={(event) => set({ estimate: Number(event.target.value) })} />
      </label>
      <label>
        {/* A task that repeats has no end, but a first date. */}
        <span>{draft.recurrence === null ? 'By' : 'From'}</span>
        <input type="date" value={draft.due} onChange={(event) => set({ due: event.target.value })} />
      </label>
    </>
  );
}
