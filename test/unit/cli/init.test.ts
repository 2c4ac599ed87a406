import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EXIT } from '../../../src/cli/command.ts';
import { command } from '../../../src/cli/init.ts';
import { initTemplate } from '../../../src/policy/template.ts';

describe('init', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'memwarden-init-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const err: string[] = [];
  const io = { env: {}, out: () => undefined, err: (line: string) => err.push(line) };

  it('writes the template, and replaces a file only when told to', async () => {
    const file = join(directory, 'policy.yaml');
    const run = (values: Record<string, boolean>) =>
      command.run({ values, positionals: [file] }, io);
    expect(await run({})).toBe(EXIT.fine);
    expect(readFileSync(file, 'utf8')).toBe(initTemplate());
    expect(await run({})).toBe(EXIT.failure);
    expect(err.at(-1)).toContain('--yes replaces it');
    expect(await run({ yes: true })).toBe(EXIT.fine);
  });

  it('fails with the cause when it cannot write', async () => {
    const missing = { values: {}, positionals: [join(directory, 'no', 'such', 'file')] };
    await expect(command.run(missing, io)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
