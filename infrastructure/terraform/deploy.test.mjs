// @ts-check
// deploy.sh with stand-ins for terraform and cargo: what it calls, in which order, and where it stops.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const NAMES = { cluster: 'c', service: 's', application: 'a', group: 'g', hook: 'h', network: '{"subnets":["n"]}' };
const OUTPUTS = `case "$3" in region) echo r ;; names) echo '${JSON.stringify(NAMES)}' ;; *) exit 1 ;; esac`;

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
 * @param {{apply?: number, deployed?: number}} [world]
 */
function deploy(parameters, { apply = 0, deployed = 0 } = {}) {
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
    cargo: `${log}
echo "in $AWS_REGION" >> ${calls}
exit ${deployed}`,
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

test('first the infrastructure, then the deployment', () => {
  const { status, calls, folder, error } = deploy(['staging', 'phase-1', 'repository@digest']);
  assert.equal(status, 0, error);
  assert.deepEqual(calls, [
    'terraform init -input=false -backend-config=backend.hcl',
    'terraform apply -auto-approve -var-file=../../phases/phase-1.tfvars -var image=repository@digest',
    `cargo xtask deploy repository@digest --cluster c --service s --application a --group g --hook h --network ${NAMES.network}`,
    'in r',
  ]);
  const inside = spawnSync('python3', ['-m', 'zipfile', '--list', join(folder, 'dist/drain.zip')], { encoding: 'utf8' });
  const names = inside.stdout.split('\n').map((line) => line.split(' ')[0]).filter((name) => name?.endsWith('.mjs'));
  assert.deepEqual(names, ['drain.mjs', 'hook.mjs', 'ask.mjs']);
});

test('servers stay as they are when the infrastructure fails', () => {
  const { status, calls } = deploy(['staging', 'phase-1', 'repository@digest'], { apply: 1 });
  assert.notEqual(status, 0);
  assert.equal(calls.length, 2);
});

test('a deployment that fails is a failure', () => {
  assert.equal(deploy(['staging', 'phase-1', 'repository@digest'], { deployed: 7 }).status, 7);
});

test('alarms are overridden only when that is said', () => {
  const { status, calls } = deploy(['production', 'phase-2', 'repository@digest', '--ignore-alarms']);
  assert.equal(status, 0);
  assert(calls.some((call) => call.startsWith('cargo xtask deploy') && call.endsWith(' --ignore-alarms')));
});

test('what makes no sense starts nothing', () => {
  const wrong = [['staging', 'phase-1'], ['test', 'phase-1', 'x'], ['staging', 'phase-9', 'x'], ['staging', 'phase-1', 'x', '--force']];
  for (const parameters of wrong) {
    const { status, calls } = deploy(parameters);
    assert.deepEqual([status, calls], [2, []], parameters.join(' '));
  }
});
