import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { command } from '../../../src/cli/check-config.ts';
import { EXIT } from '../../../src/cli/command.ts';

describe('check-config', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'memwarden-check-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  async function check(text: string, values: Record<string, boolean> = {}) {
    const file = join(directory, 'policy.yaml');
    writeFileSync(file, text);
    const out: string[] = [];
    const err: string[] = [];
    const io = {
      env: {},
      out: (line: string) => out.push(line),
      err: (line: string) => err.push(line),
    };
    const exitCode = await command.run({ values, positionals: [file] }, io);
    return { exitCode, file, out: out.join('\n'), err: err.join('\n') };
  }

  it('says that a file is valid, and what it will not do', async () => {
    const { exitCode, file, out, err } = await check(
      'ledger: {}\nalerts: { recipients: { warning: [x] } }',
    );
    expect([exitCode, out]).toEqual([EXIT.fine, `${file}: valid`]);
    expect(err.split('\n')).toEqual([
      'note: alerts.recipients.warning: no channel is named "x"; nothing is sent there',
      'note: ledger: not available yet',
    ]);
  });

  it('prints every problem and exits with 78', async () => {
    const { exitCode, file, out } = await check('server:\n  port: x\n  hots: y\n');
    expect(exitCode).toBe(EXIT.badConfig);
    expect(out.split('\n')).toEqual([
      `${file}:2: server.port: expected a whole number from 0 to 65535, got "x"`,
      expect.stringMatching(/:3: server.hots: expected one of .*did you mean "host"/),
    ]);
  });

  it('says how many documents a file holds when it is more than one', async () => {
    const { exitCode, file, out } = await check('---\nserver: {}\n---\ntargets: []\n');
    expect([exitCode, out]).toEqual([
      EXIT.badConfig,
      `${file}:3: expected one YAML document, got 2 documents`,
    ]);
  });

  it('prints both as JSON', async () => {
    expect(JSON.parse((await check('', { json: true })).out)).toMatchObject({
      valid: true,
      problems: [],
    });
    expect(JSON.parse((await check('a: 1', { json: true })).out)).toMatchObject({
      valid: false,
      problems: [{ line: 1, column: 1, key: 'a', got: 'an unknown key' }],
    });
  });

  it('leaves a file that cannot be read to the caller', async () => {
    const io = { env: {}, out: () => undefined, err: () => undefined };
    const missing = { values: {}, positionals: [join(directory, 'gone.yaml')] };
    await expect(command.run(missing, io)).rejects.toMatchObject({ code: 'MEM_POLICY_UNREADABLE' });
  });
});
