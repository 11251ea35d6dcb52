// @ts-check
// CodeDeploy calls this when new connections go to green already (AfterAllowTraffic). It finds the servers that are left on
// blue and has each of them asked to drain, so that their players come back to green before blue is stopped.
//
// It runs outside the VPC, where AWS can be reached without a NAT gateway; `ask.mjs` runs inside.

import { CodeDeployClient, BatchGetDeploymentTargetsCommand, ListDeploymentTargetsCommand, PutLifecycleEventHookExecutionStatusCommand } from '@aws-sdk/client-codedeploy';
import { DescribeTasksCommand, ECSClient, ListTasksCommand } from '@aws-sdk/client-ecs';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { address, oldTasks, stillRunning } from './drain.mjs';

/** A drain takes 25 s at most (`DRAIN_DEADLINE_MS`), and ECS some more to notice. */
const GONE = { attempts: 16, pauseMs: 3_000 };

const codedeploy = new CodeDeployClient({});
const ecs = new ECSClient({});
const lambda = new LambdaClient({});
const secrets = new SecretsManagerClient({});

/** @param {string} name */
function setting(name) {
  const value = process.env[name];
  if (!value) {
    throw new Error(`the function's variable ${name} is missing`);
  }
  return value;
}

/** @param {{DeploymentId: string, LifecycleEventHookExecutionId: string}} event */
export async function handler(event) {
  /** @type {unknown} */
  let failure;
  try {
    await drain(event.DeploymentId);
  } catch (error) {
    failure = error;
  }
  // Green serves already. Going back would send players to servers of which some have drained, or refuse the database that
  // was migrated; and who was not asked here drains all the same when ECS stops it. So the deployment goes on in any case, and
  // an error is this function's own: the alarm DrainFailed tells it.
  await codedeploy.send(
    new PutLifecycleEventHookExecutionStatusCommand({
      deploymentId: event.DeploymentId,
      lifecycleEventHookExecutionId: event.LifecycleEventHookExecutionId,
      status: 'Succeeded',
    }),
  );
  if (failure) {
    throw failure;
  }
}

/** @param {string} deploymentId */
async function drain(deploymentId) {
  const old = oldTasks(await serviceTasks(), await taskSets(deploymentId));
  const addresses = old.flatMap((task) => address(task) ?? []);
  const answers = addresses.length > 0 ? await ask(addresses) : [];
  console.log(JSON.stringify({ message: 'asked the old servers to drain', deploymentId, answers }));

  const arns = old.flatMap((task) => task.taskArn ?? []);
  const left = await stillRunning(() => describe(arns), GONE);
  const where = new Set(left.map(address));
  const deaf = answers.filter((answer) => !answer.drains && where.has(answer.address));
  if (left.length > 0) {
    const reasons = deaf.map((answer) => `${answer.address}: ${answer.detail}`).join('; ');
    throw new Error(`${left.length} old servers still run. ${reasons}`);
  }
}

/** @returns {Promise<import('./drain.mjs').Task[]>} */
async function serviceTasks() {
  const found = await ecs.send(new ListTasksCommand({ cluster: setting('CLUSTER'), serviceName: setting('SERVICE') }));
  return describe(found.taskArns ?? []);
}

/**
 * Ten servers twice fit into one answer, which may have a hundred.
 * @param {string[]} tasks
 * @returns {Promise<import('./drain.mjs').Task[]>}
 */
async function describe(tasks) {
  if (tasks.length === 0) {
    return [];
  }
  const described = await ecs.send(new DescribeTasksCommand({ cluster: setting('CLUSTER'), tasks }));
  return described.tasks ?? [];
}

/**
 * @param {string} deploymentId
 * @returns {Promise<import('./drain.mjs').TaskSet[]>}
 */
async function taskSets(deploymentId) {
  const { targetIds } = await codedeploy.send(new ListDeploymentTargetsCommand({ deploymentId }));
  const targets = await codedeploy.send(new BatchGetDeploymentTargetsCommand({ deploymentId, targetIds }));
  return targets.deploymentTargets?.flatMap((target) => target.ecsTarget?.taskSetsInfo ?? []) ?? [];
}

/**
 * @param {string[]} addresses
 * @returns {Promise<import('./drain.mjs').Answer[]>}
 */
async function ask(addresses) {
  const secret = await secrets.send(new GetSecretValueCommand({ SecretId: setting('TOKEN_SECRET') }));
  const payload = { addresses, port: Number(setting('PORT')), token: secret.SecretString };
  const answer = await lambda.send(
    new InvokeCommand({ FunctionName: setting('ASK_FUNCTION'), Payload: JSON.stringify(payload) }),
  );
  const text = new TextDecoder().decode(answer.Payload);
  if (answer.FunctionError) {
    throw new Error(`the function that asks failed: ${text}`);
  }
  return JSON.parse(text);
}
