// Makes sure that the programs the end-to-end tests run are here, and installs what is missing
// where it may: as root, on Debian or a descendant. Elsewhere the tests that need them skip, which
// is fine on a desk and is not in CI: there a missing program is an error.

import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Debian package → the programs the tests run from it. */
const PACKAGES = {
  prometheus: ['prometheus', 'promtool'],
  'prometheus-alertmanager': ['prometheus-alertmanager', 'amtool'],
  systemd: ['systemd-analyze'],
};

// Its exit code 101 keeps invoke-rc.d from starting a service as it is installed.
const SERVICE_POLICY = '/usr/sbin/policy-rc.d';

const isExecutable = (file) => {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

const isOnPath = (program) =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => isExecutable(join(folder, program)));

const missingPackages = () =>
  Object.keys(PACKAGES).filter((name) => !PACKAGES[name].every(isOnPath));

const canInstall = () => process.getuid?.() === 0 && isOnPath('apt-get');

const aptGet = (...args) => {
  const { status, stderr, error } = spawnSync('apt-get', ['-qq', ...args], {
    encoding: 'utf8',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (status !== 0) throw new Error(`apt-get ${args[0]}: ${error?.message ?? stderr.trim()}`);
};

const withServicesHeld = (install) => {
  if (existsSync(SERVICE_POLICY)) return install();
  writeFileSync(SERVICE_POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    install();
  } finally {
    rmSync(SERVICE_POLICY);
  }
};

const installAll = (packages) => {
  console.log('test tools: updating the package lists');
  aptGet('update');
  withServicesHeld(() => {
    for (const name of packages) {
      console.log(`test tools: installing ${name}`);
      aptGet('install', '-y', '--no-install-recommends', name);
    }
  });
};

const tryInstall = (packages) => {
  try {
    installAll(packages);
  } catch (error) {
    console.error(`test tools: ${error.message}`);
  }
};

const missing = missingPackages();
if (missing.length > 0 && canInstall()) tryInstall(missing);

const stillMissing = missingPackages();
if (stillMissing.length > 0) {
  console.error(`test tools: not here, so what needs it is skipped: ${stillMissing.join(', ')}`);
  if (process.env.CI === 'true') process.exitCode = 1;
}
