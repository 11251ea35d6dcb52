/** Lays the server's patch over the hero: whole sections, but tasks one by one. */

import type { Hero, HeroPatch, Task } from './protocol.gen';

export function applyPatch(hero: Hero, patch: HeroPatch): Hero {
  const { tasks, tasks_removed, ...sections } = patch;
  const present = Object.fromEntries(Object.entries(sections).filter(([, value]) => value !== undefined && value !== null));
  const next: Hero = { ...hero, ...present };
  if (tasks || tasks_removed) next.tasks = mergeTasks(hero.tasks, tasks ?? [], tasks_removed ?? []);
  return next;
}

function mergeTasks(current: readonly Task[], changed: readonly Task[], removed: readonly number[]): Task[] {
  const byId = new Map(current.map((task) => [task.task_id, task]));
  for (const task of changed) byId.set(task.task_id, task);
  for (const id of removed) byId.delete(id);
  return [...byId.values()].sort((a, b) => a.task_id - b.task_id);
}
