// @ts-check
// deploy.sh with stand-ins for terraform and aws: what it calls, in which order, and where it stops.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const OUTPUTS = `case "$3" in region) echo r ;; cluster) echo c ;; *) echo "{\\"$3\\":1}" ;; esac`;

/** @type {string[]} */
const folders = [];

afterEach(() => {
  for (const folder of folders.splice(0)) {
    rmSync(folder, { recursive: true });
  }
});

/**
 * Runs a copy of the script, so that nothing is left in the checkout.
 * @param {string[]} parameters
 * @param {{exitCode?: string, task?: string, apply?: number, deployed?: number}} [world]
 */
function deploy(parameters, { exitCode = '0', task = 'arn:task/c/7', apply = 0, deployed = 0 } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'deploy-'));
  folders.push(folder);
  for (const part of ['deploy.sh', 'environments', 'phases', 'modules']) {
    cpSync(join(HERE, part), join(folder, part), { recursive: true, filter: (path) => !path.includes('.terraform/') });
  }
  const calls = join(folder, 'calls');
  writeFileSync(calls, '');
  const log = `echo "$(basename "$0") $*" >> ${calls}`;
  const programs = {
    terraform: `${log}\ncase "$1" in output) ${OUTPUTS} ;; apply) exit ${apply} ;; esac`,
    aws: `${log}
      case "$*" in
        *run-task*) echo ${task} ;;
        *exitCode*) echo ${exitCode} ;;
        *stoppedReason*) echo "no secret" ;;
        *create-deployment*) echo d-1 ;;
        *deployment-successful*) exit ${deployed} ;;
      esac`,
  };
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  const environment = { ...process.env, PATH: `${folder}:${process.env['PATH']}` };
  const result = spawnSync(join(folder, 'deploy.sh'), parameters, { env: environment, encoding: 'utf8', input: '', timeout: 20_000 });
  const seen = readFileSync(calls, 'utf8').split('\n').filter((line) => line !== '' && !line.includes(' output '));
  return { status: result.status, error: result.stderr, calls: seen, folder };
}

test('first the infrastructure, then the tables, then the servers', () => {
  const { status, calls, folder, error } = deploy(['staging', 'phase-1', 'repository:tag']);
  assert.equal(status, 0, error);
  assert.deepEqual(calls, [
    'terraform init -input=false -backend-config=backend.hcl',
    'terraform apply -auto-approve -var-file=../../phases/phase-1.tfvars -var image=repository:tag',
    'aws --region r ecs run-task --cli-input-json {"migration":1} --query tasks[0].taskArn --output text',
    'aws --region r ecs wait tasks-stopped --cluster c --tasks arn:task/c/7',
    'aws --region r ecs describe-tasks --cluster c --tasks arn:task/c/7 --query tasks[0].containers[0].exitCode --output text',
    'aws --region r deploy create-deployment --cli-input-json {"deployment":1} --query deploymentId --output text',
    'aws --region r deploy wait deployment-successful --deployment-id d-1',
  ]);
  const inside = spawnSync('python3', ['-m', 'zipfile', '--list', join(folder, 'dist/drain.zip')], { encoding: 'utf8' });
  const names = inside.stdout.split('\n').map((line) => line.split(' ')[0]).filter((name) => name?.endsWith('.mjs'));
  assert.deepEqual(names, ['drain.mjs', 'hook.mjs', 'ask.mjs']);
});

test('servers stay as they are when the infrastructure or the migration fails', () => {
  const unapplied = deploy(['staging', 'phase-1', 'repository:tag'], { apply: 1 });
  assert.notEqual(unapplied.status, 0);
  assert.equal(unapplied.calls.length, 2);
  for (const exitCode of ['1', '69', 'None']) {
    const failed = deploy(['staging', 'phase-1', 'repository:tag'], { exitCode });
    assert.equal(failed.status, 1);
    assert.match(failed.error, new RegExp(`the migration ended with ${exitCode}`));
    assert.match(failed.error, /no secret/);
    assert(!failed.calls.some((call) => call.includes('create-deployment')), failed.calls.join('\n'));
  }
  const unstarted = deploy(['staging', 'phase-1', 'repository:tag'], { task: 'None' });
  assert.equal(unstarted.status, 1);
  assert.equal(unstarted.calls.length, 3);
});

test('a deployment that CodeDeploy takes back is a failure', () => {
  const { status, error } = deploy(['staging', 'phase-1', 'repository:tag'], { deployed: 255 });
  assert.equal(status, 1);
  assert.match(error, /deployment d-1 did not succeed/);
});

test('alarms are overridden only when that is said', () => {
  const { status, calls } = deploy(['production', 'phase-2', 'repository:tag', '--ignore-alarms']);
  assert.equal(status, 0);
  assert(calls.some((call) => call.includes('create-deployment') && call.includes('--override-alarm-configuration enabled=false')));
});

test('what makes no sense starts nothing', () => {
  const wrong = [['staging', 'phase-1'], ['test', 'phase-1', 'x'], ['staging', 'phase-9', 'x'], ['staging', 'phase-1', 'x', '--force']];
  for (const parameters of wrong) {
    const { status, calls } = deploy(parameters);
    assert.deepEqual([status, calls], [2, []], parameters.join(' '));
  }
});
