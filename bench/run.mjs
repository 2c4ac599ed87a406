// Every bench, one after the other, each in a process of its own; ends with 1 when any missed.
// `npm run bench` builds and runs all; `npm run bench -- history status` runs those.

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';

const all = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.mjs') && file !== 'run.mjs')
  .map((file) => basename(file, '.mjs'));
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  console.error(`There is no bench ${unknown.join(', ')}. There are: ${all.join(', ')}.`);
  process.exit(2);
}

const missed = [];
for (const name of asked.length > 0 ? asked : all) {
  console.log(`\n## ${name}`);
  const file = join(import.meta.dirname, `${name}.mjs`);
  const { status } = spawnSync(process.execPath, ['--expose-gc', file], { stdio: 'inherit' });
  if (status !== 0) missed.push(name);
}
if (missed.length > 0) console.error(`\nmissed: ${missed.join(', ')}`);
process.exit(missed.length > 0 ? 1 : 0);
