import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readRegularFile } from '../../../src/collect/regular-file.ts';
import { createFakeProc, type FakeProc } from './fake-proc.ts';
import { endAll, feed } from './processes.ts';

const MOST_BYTES = 10_000;
const RELEASE_MS = 5_000;

const openDescriptors = (): number => fs.readdirSync('/proc/self/fd').length;

describe('readRegularFile', () => {
  let fake: FakeProc;
  let path: string;
  beforeEach(() => {
    fake = createFakeProc();
    path = `${fake.root}/chosen`;
  });
  afterEach(async () => {
    await endAll();
    fake.close();
  });

  const read = () => readRegularFile(path, MOST_BYTES);

  it.each([0, 1, 4_096, 4_097, MOST_BYTES])('reads a file of %i bytes', (length) => {
    const text = 'é'.repeat(length / 2) + 'x'.repeat(length % 2);
    fake.write('chosen', text);
    expect(read()).toEqual({ text, problem: null });
  });

  it('reads a kernel file, whose size is said to be 0', () => {
    fs.symlinkSync('/proc/self/limits', path);
    expect(read().text).toBe(fs.readFileSync('/proc/self/limits', 'utf8'));
  });

  it('does not wait for someone to write to a named pipe', async () => {
    execFileSync('mkfifo', [path]);
    await feed(path, '1234', RELEASE_MS);
    const beganMs = performance.now();
    expect(read()).toEqual({ text: null, problem: 'it is a named pipe, not a file' });
    expect(performance.now() - beganMs).toBeLessThan(RELEASE_MS / 2);
  });

  it('does not take what is in a named pipe either', () => {
    execFileSync('mkfifo', [path]);
    const both = fs.openSync(path, 'r+');
    fs.writeSync(both, '1234\n');
    expect(read().problem).toBe('it is a named pipe, not a file');
    expect(fs.readSync(both, Buffer.alloc(9))).toBe(5);
    fs.closeSync(both);
  });

  it('refuses a directory and a device', () => {
    fs.mkdirSync(path);
    expect(read().problem).toBe('it is a directory, not a file');
    fs.rmdirSync(path);
    fs.symlinkSync('/dev/zero', path);
    expect(read().problem).toBe('it is a device, not a file');
  });

  it('refuses a socket', async () => {
    const server = net.createServer().listen(path);
    await once(server, 'listening');
    expect(read().problem).toBe('it is a socket or a device, not a file');
    server.close();
    await once(server, 'close');
  });

  it('refuses a file that is too long, without reading it all', () => {
    fake.write('chosen', '1');
    fs.truncateSync(path, 2 ** 40);
    expect(read().problem).toBe(`it is longer than ${MOST_BYTES} bytes`);
  });

  it('says why there is nothing to read', () => {
    expect(read().problem).toBe('there is no such file (ENOENT)');
    path = 'a\0b';
    expect(read().problem).toContain('it cannot be read');
  });

  it('leaves no descriptor open', () => {
    const before = openDescriptors();
    fs.mkdirSync(path);
    read();
    fs.rmdirSync(path);
    fake.write('chosen', 'x'.repeat(MOST_BYTES + 1));
    read();
    fake.write('chosen', 'x');
    read();
    expect(openDescriptors()).toBe(before);
  });
});
