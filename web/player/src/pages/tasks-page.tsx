import type { Task } from '@dopamine-hero/sdk';
import { useState } from 'react';
import { QuickAdd, TaskRow, useOrderedTasks } from '../parts/tasks';
import { TaskEditor } from './task-editor';

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
