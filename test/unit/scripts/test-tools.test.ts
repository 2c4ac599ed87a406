import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const SCRIPT = join(import.meta.dirname, '../../../scripts/test-tools.mjs');
const folder = mkdtempSync(join(tmpdir(), 'memwarden-tools-'));
afterAll(() => rmSync(folder, { recursive: true }));

// Only programs of this folder are in sight: apt-get is not, so nothing can be installed.
const run = (ci: string) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT], {
    env: { PATH: folder, CI: ci },
    encoding: 'utf8',
  });
  return { status, output: stdout + stderr };
};

const pretend = (program: string): void => {
  writeFileSync(join(folder, program), '');
  chmodSync(join(folder, program), 0o755);
};

describe('scripts/test-tools.mjs', () => {
  it('names what is missing in one line, which is an error in CI only', () => {
    pretend('prometheus');
    const line =
      'test tools: not here, so what needs it is skipped: prometheus, prometheus-alertmanager, systemd\n';
    expect(run('')).toEqual({ status: 0, output: line });
    expect(run('true')).toEqual({ status: 1, output: line });
  });

  it('says nothing when all is there', () => {
    for (const program of [
      'prometheus',
      'promtool',
      'prometheus-alertmanager',
      'amtool',
      'systemd-analyze',
    ]) {
      pretend(program);
    }
    expect(run('true')).toEqual({ status: 0, output: '' });
  });
});
