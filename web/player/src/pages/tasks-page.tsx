import type { Category, Priority, Task } from '@dopamine-hero/sdk';
import { type FormEvent, useState } from 'react';
import { CATEGORY_WORDS } from '../catalogue';
import { useClient } from '../game';
import { QuickAdd, TaskRow, useOrderedTasks } from '../parts/tasks';

export function TasksPage() {
  const tasks = useOrderedTasks().filter((task) => task.parent_id === null);
  const [editing, setEditing] = useState<number | null>(null);
  const open = tasks.filter((task) => task.done_at_ms === null);
  const done = tasks.filter((task) => task.done_at_ms !== null);
  const row = (task: Task) =>
    editing === task.task_id ? (
      <TaskEditor key={task.task_id} task={task} onClose={() => setEditing(null)} />
    ) : (
      <TaskRow key={task.task_id} task={task} onEdit={() => setEditing(task.task_id)} />
    );
  return (
    <main className="tasks-page">
      <h1>Tasks</h1>
      <section className="card">
        <QuickAdd />
        <ul className="tasks">{open.map(row)}</ul>
        {open.length === 0 && <p className="quiet">Nothing here. That is a fine state.</p>}
      </section>
      {done.length > 0 && (
        <section className="card">
          <h2>Done lately</h2>
          <ul className="tasks">{done.map(row)}</ul>
        </section>
      )}
      <p className="quiet">A task that you focused on pays in full; one without focus pays less. Ticking it off again pays nothing twice.</p>
    </main>
  );
}

function TaskEditor({ task, onClose }: { task: Task; onClose: () => void }) {
  const client = useClient();
  const [title, setTitle] = useState(task.title);
  const [category, setCategory] = useState<Category>(task.category);
  const [priority, setPriority] = useState<Priority>(task.priority);
  const [estimate, setEstimate] = useState(task.estimate_minutes);
  const [due, setDue] = useState(task.due_on ?? '');
  const save = (event: FormEvent) => {
    event.preventDefault();
    client.send({
      update_task: {
        task_id: task.task_id,
        title: title.trim() === '' ? task.title : title.trim(),
        category,
        priority,
        estimate_minutes: Math.max(0, Math.min(480, Math.round(estimate))),
        due_on: due === '' ? null : due,
        recurrence: task.recurrence,
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
        <label className="wide">
          <span>Title</span>
          <input autoFocus value={title} maxLength={200} onChange={(event) => setTitle(event.target.value)} />
        </label>
        <label>
          <span>Importance</span>
          <select value={priority} onChange={(event) => setPriority(event.target.value as Priority)}>
            {(['low', 'medium', 'high'] as const).map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
        <label>
          <span>Kind of work</span>
          <select value={category} onChange={(event) => setCategory(event.target.value as Category)}>
            {(Object.keys(CATEGORY_WORDS) as Category[]).map((one) => (
              <option key={one} value={one}>
                {CATEGORY_WORDS[one].name}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span>Estimate, minutes</span>
          <input type="number" min={0} max={480} step={5} value={estimate} onChange={(event) => setEstimate(Number(event.target.value))} />
        </label>
        <label>
          <span>By</span>
          <input type="date" value={due} onChange={(event) => setDue(event.target.value)} />
        </label>
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
