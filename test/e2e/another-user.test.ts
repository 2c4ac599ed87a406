import { chownSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ReadingWire } from '../../src/http/schemas.ts';
import { endPrograms, eventually, start } from './program.ts';
import { createScratch, ROOT, type Scratch } from './service.ts';

/** Nobody, as most systems number it: may read little of a process of root. */
const NOBODY = { uid: 65534, gid: 65534 };

let scratch: Scratch;
beforeEach(({ skip }) => {
  if (process.getuid?.() !== 0) skip('only root may start it as another user');
  scratch = createScratch();
});
afterEach(async () => {
  await endPrograms();
  scratch?.remove();
});

/** The URL of a memwarden that runs as nobody and watches this process, of which it is a child. */
async function startAsNobody(): Promise<string> {
  chownSync(scratch.dir, NOBODY.uid, NOBODY.gid);
  const target = `{ name: root, match: { pid: ${process.pid} }, include_children: false }`;
  scratch.file('memory_policy.yaml', `targets: [${target}]\n`);
  const args = [join(ROOT, 'dist/cli/main.js'), '--port', '0', '--data-dir', 'data'];
  const program = await start(process.execPath, args, { cwd: scratch.dir, ...NOBODY });
  const greeting = await program.stdout.find(() => true);
  return /http:\/\/[^ ]+/.exec(greeting)?.[0] ?? greeting;
}

describe('a process of another user', () => {
  it('has its RSS, and of what may not be read null and the reason', async () => {
    const url = await startAsNobody();
    // It reads itself after the target that its policy names.
    const page = await eventually(
      async () => (await fetch(`${url}/metrics`)).text(),
      (text) => /^memwarden_target_proportional_memory_bytes\{target="self"\}/m.test(text),
    );
    expect(page).toMatch(/^memwarden_target_resident_memory_bytes\{target="root"\} \d/m);
    expect(page).not.toMatch(/^memwarden_target_proportional_memory_bytes\{target="root"\}/m);
    const answer = await fetch(`${url}/internal/memory/metrics?target=root`);
    const { process: found, unknown } = (await answer.json()) as ReadingWire;
    expect(found?.pid).toBe(process.pid);
    expect(found?.rss_bytes).toBeGreaterThan(0);
    expect(found?.swap_bytes).toBeGreaterThanOrEqual(0);
    expect(found?.pss_bytes).toBeNull();
    expect(unknown).toContainEqual({
      metric: 'process.pss_bytes',
      reason: expect.stringContaining('EACCES'),
    });
  });
});
