import { spawnSync } from 'node:child_process';
import type { TestContext } from 'vitest';

/** Debian package by program. */
const PACKAGE_BY_PROGRAM = {
  prometheus: 'prometheus',
  promtool: 'prometheus',
  amtool: 'prometheus-alertmanager',
  'systemd-analyze': 'systemd',
} as const;

/** Skips a test whose program is not here and says how to get it; in CI that is a failure. */
export function needs(
  program: keyof typeof PACKAGE_BY_PROGRAM,
  { skip }: Pick<TestContext, 'skip'>,
): void {
  if (spawnSync(program, ['--version']).error === undefined) return;
  const note = `${program} is missing: apt-get install ${PACKAGE_BY_PROGRAM[program]}`;
  if (process.env.CI === 'true') throw new Error(note);
  skip(note);
}
