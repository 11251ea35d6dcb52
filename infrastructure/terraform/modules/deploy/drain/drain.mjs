// @ts-check
// Which servers are old, and asking them to drain: everything of the hook that can be tried without AWS.

/**
 * One task of the service, as ECS describes it.
 * @typedef {object} Task
 * @property {string} [taskArn]
 * @property {string} [startedBy] The task set that it belongs to.
 * @property {string} [lastStatus]
 * @property {{type?: string, details?: {name?: string, value?: string}[]}[]} [attachments]
 */

/**
 * One of the two sides of a deployment, as CodeDeploy describes it. The name of its id is misspelt there.
 * @typedef {object} TaskSet
 * @property {string} [identifer]
 * @property {string} [taskSetLabel] `Blue` or `Green`.
 */

/**
 * What became of the question to one server.
 * @typedef {object} Answer
 * @property {string} address
 * @property {boolean} drains Whether it said that it drains.
 * @property {string} detail Its answer, or why there is none.
 */

/**
 * How often and how long a server is asked.
 * @typedef {object} Limits
 * @property {number} attempts
 * @property {number} timeoutMs For one answer.
 * @property {number} pauseMs Between two attempts.
 */

/**
 * At most 19 s for a server that never answers.
 * @type {Limits}
 */
export const LIMITS = { attempts: 5, timeoutMs: 3_000, pauseMs: 1_000 };

/** @param {number} milliseconds */
export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * The tasks that are not of the new version.
 * @param {Task[]} tasks All tasks of the service.
 * @param {TaskSet[]} sets Both sides of the deployment.
 * @returns {Task[]}
 * @throws {Error} It cannot be told which are new, or none of those runs: then nobody may be drained.
 */
export function oldTasks(tasks, sets) {
  const green = sets.find((set) => set.taskSetLabel?.toLowerCase() === 'green')?.identifer;
  if (!green) {
    throw new Error('CodeDeploy names no green task set');
  }
  if (!tasks.some((task) => task.startedBy === green && task.lastStatus === 'RUNNING')) {
    throw new Error(`no task of the green set ${green} runs, so nobody may be sent away`);
  }
  return tasks.filter((task) => task.startedBy !== green);
}

/**
 * Where a task listens; nothing while it has no network yet, and then it has no players.
 * @param {Task} task
 * @returns {string | undefined}
 */
export function address(task) {
  const network = task.attachments?.find((attachment) => attachment.type === 'ElasticNetworkInterface');
  return network?.details?.find((detail) => detail.name === 'privateIPv4Address')?.value;
}

/**
 * Asks every server to drain, all at the same time.
 * @param {string[]} addresses
 * @param {number} port The operators' listener.
 * @param {string} token `ADMIN_DRAIN_TOKEN`.
 * @param {Limits} [limits]
 * @returns {Promise<Answer[]>} One for each address, in the same order.
 */
export function askAll(addresses, port, token, limits = LIMITS) {
  return Promise.all(addresses.map((address) => ask(address, port, token, limits)));
}

/**
 * @param {string} address
 * @param {number} port
 * @param {string} token
 * @param {Limits} limits
 * @returns {Promise<Answer>}
 */
async function ask(address, port, token, limits) {
  let detail = 'it was not asked';
  for (let attempt = 1; attempt <= limits.attempts; attempt += 1) {
    if (attempt > 1) {
      await pause(limits.pauseMs);
    }
    try {
      const response = await fetch(`http://${address}:${port}/v1/drain`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
        redirect: 'error',
        signal: AbortSignal.timeout(limits.timeoutMs),
      });
      await response.body?.cancel();
      detail = `it answered ${response.status}`;
      if (response.status === 202) {
        return { address, drains: true, detail };
      }
      // It understood, and will say the same again: a wrong token, or a version without this route.
      if (response.status < 500 && response.status !== 429) {
        return { address, drains: false, detail };
      }
    } catch (error) {
      const cause = /** @type {{cause?: {code?: string}, message?: string}} */ (error);
      detail = `no answer: ${cause.cause?.code ?? cause.message}`;
    }
  }
  return { address, drains: false, detail };
}

/**
 * Waits until none of the tasks runs any more.
 * @param {() => Promise<Task[]>} look Those that were asked, as they are now.
 * @param {{attempts: number, pauseMs: number}} limits
 * @returns {Promise<Task[]>} Those that still run when the time is over.
 */
export async function stillRunning(look, limits) {
  for (let attempt = 1; ; attempt += 1) {
    const running = (await look()).filter((task) => task.lastStatus === 'RUNNING');
    if (running.length === 0 || attempt >= limits.attempts) {
      return running;
    }
    await pause(limits.pauseMs);
  }
}
