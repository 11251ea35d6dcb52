// @ts-check
// Against a real HTTP server on a free port of this machine; ECS's and CodeDeploy's answers are data.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { afterEach, test } from 'node:test';
import { address, askAll, oldTasks, stillRunning } from './drain.mjs';
import { handler } from './ask.mjs';

const TOKEN = 'a-token-of-at-least-thirty-two-characters';
const LIMITS = { attempts: 3, timeoutMs: 300, pauseMs: 5 };
const GREEN = 'ecs-svc/2';
const SETS = [
  { identifer: 'ecs-svc/1', taskSetLabel: 'Blue' },
  { identifer: GREEN, taskSetLabel: 'Green' },
];

/** @type {import('node:http').Server[]} */
const servers = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/**
 * A server that answers with these statuses, one after the other and then the last one again; 0 never answers.
 * @param {number[]} statuses
 */
async function serve(...statuses) {
  /** @type {string[]} */
  const seen = [];
  const server = createServer((request, response) => {
    const status = statuses[Math.min(seen.length, statuses.length - 1)] ?? 0;
    seen.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    if (status > 0) {
      response.writeHead(status, status === 302 ? { location: 'http://127.0.0.1:1/' } : {}).end('{}');
    }
  });
  servers.push(server);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const bound = server.address();
  assert(bound !== null && typeof bound === 'object');
  return { port: bound.port, seen };
}

/** @param {number[]} statuses */
async function asked(...statuses) {
  const { port, seen } = await serve(...statuses);
  const [answer] = await askAll(['127.0.0.1'], port, TOKEN, LIMITS);
  assert(answer);
  return { ...answer, count: seen.length, seen };
}

/**
 * @param {string} startedBy
 * @param {string} ip
 * @param {string} [lastStatus]
 */
const task = (startedBy, ip, lastStatus = 'RUNNING') => ({
  taskArn: `arn:${ip}`,
  startedBy,
  lastStatus,
  attachments: [
    { type: 'ElasticNetworkInterface', details: [{ name: 'subnetId', value: 'subnet-1' }, { name: 'privateIPv4Address', value: ip }] },
  ],
});

test('a server is asked once, with the token, and drains', async () => {
  const answer = await asked(202);
  assert.deepEqual(answer.seen, [`POST /v1/drain Bearer ${TOKEN}`]);
  assert.equal(answer.drains, true);
});

test('a server that is not ready to answer is asked again', async () => {
  const answer = await asked(503, 429, 202);
  assert.deepEqual([answer.drains, answer.count], [true, 3]);
});

test('who refuses is not asked again', async () => {
  for (const status of [200, 401, 403, 404]) {
    const answer = await asked(status);
    assert.deepEqual([answer.drains, answer.count, answer.detail], [false, 1, `it answered ${status}`]);
  }
});

test('a server that fails, or sends somewhere else, is given up after some attempts', async () => {
  const failing = await asked(500);
  assert.deepEqual([failing.drains, failing.count, failing.detail], [false, 3, 'it answered 500']);
  const elsewhere = await asked(302);
  assert.deepEqual([elsewhere.drains, elsewhere.count], [false, 3]);
});

test('a server that never answers, or is not there, costs a limited time', async () => {
  const silent = await asked(0);
  assert.deepEqual([silent.drains, silent.count], [false, 3]);
  const { port } = await serve(202);
  servers.pop()?.close();
  const [gone] = await askAll(['127.0.0.1'], port, TOKEN, LIMITS);
  assert(gone);
  assert.deepEqual([gone.drains, gone.detail], [false, 'no answer: ECONNREFUSED']);
});

test('one deaf server keeps nobody else from being asked', async () => {
  const { port } = await serve(202);
  const answers = await askAll(['127.0.0.2', '127.0.0.1'], port, TOKEN, LIMITS);
  assert.deepEqual(answers.map((answer) => [answer.address, answer.drains]), [['127.0.0.2', false], ['127.0.0.1', true]]);
});

test('the function inside the VPC hands on what it is given', async () => {
  const { port, seen } = await serve(202);
  const answers = await handler({ addresses: ['127.0.0.1'], port, token: TOKEN });
  assert.deepEqual(answers, [{ address: '127.0.0.1', drains: true, detail: 'it answered 202' }]);
  assert.equal(seen.length, 1);
});

test('whoever is not green is old', () => {
  const tasks = [task('ecs-svc/1', '10.0.0.1'), task(GREEN, '10.0.0.2'), task('ecs-svc/0', '10.0.0.3')];
  assert.deepEqual(oldTasks(tasks, SETS).map(address), ['10.0.0.1', '10.0.0.3']);
});

test('a task without a network has no address', () => {
  assert.equal(address({ attachments: [] }), undefined);
  assert.equal(address({ attachments: [{ type: 'ElasticNetworkInterface', details: [] }] }), undefined);
});

test('nobody is old when it cannot be told who is new', () => {
  const blue = task('ecs-svc/1', '10.0.0.1');
  assert.throws(() => oldTasks([blue], []), /no green/);
  assert.throws(() => oldTasks([blue], SETS), /no task of the green set/);
  assert.throws(() => oldTasks([blue, task(GREEN, '10.0.0.2', 'PENDING')], SETS), /no task of the green set/);
});

test('the end of the old tasks is waited for, up to a limit', async () => {
  const running = task('ecs-svc/1', '10.0.0.1');
  const stopped = task('ecs-svc/1', '10.0.0.2', 'STOPPED');
  let looks = 0;
  const ends = async () => (++looks < 3 ? [running, stopped] : [stopped]);
  assert.deepEqual(await stillRunning(ends, { attempts: 5, pauseMs: 1 }), []);
  assert.equal(looks, 3);
  looks = 0;
  const never = async () => [(++looks, running)];
  assert.deepEqual(await stillRunning(never, { attempts: 4, pauseMs: 1 }), [running]);
  assert.equal(looks, 4);
});
