import fs from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createProcFiles, describeProblem } from '../../../../src/collect/procfs/files.ts';
import { createFakeProc, type FakeProc } from '../fake-proc.ts';

const openDescriptors = (): number => fs.readdirSync('/proc/self/fd').length;

describe('createProcFiles', () => {
  let fake: FakeProc;
  beforeEach(() => {
    fake = createFakeProc();
  });
  afterEach(() => fake.close());

  it('keeps a descriptor open and reads the file anew each time', () => {
    const files = createProcFiles();
    const file = files.file(`${fake.root}/a`);
    fake.write('a', 'one');
    expect(files.bytes.toString('utf8', 0, files.read(file))).toBe('one');
    const { fd } = file;
    fake.write('a', 'three');
    expect(files.bytes.toString('utf8', 0, files.read(file))).toBe('three');
    expect(file.fd).toBe(fd);
    files.close();
    expect(files.held).toBe(0);
  });

  it('holds no more than its bound, and reads the others all the same', () => {
    const before = openDescriptors();
    const files = createProcFiles({ mostHeld: 2 });
    const all = ['a', 'b', 'c', 'd'].map((name) => {
      fake.write(name, name);
      return files.file(`${fake.root}/${name}`);
    });
    const read = (): string[] =>
      all.map((file) => files.bytes.toString('utf8', 0, files.read(file)));
    expect(read()).toEqual(['a', 'b', 'c', 'd']);
    expect(read()).toEqual(['a', 'b', 'c', 'd']);
    expect(files.held).toBe(2);
    expect(openDescriptors()).toBe(before + 2);
    files.close();
    expect(openDescriptors()).toBe(before);
  });

  it('says why a file cannot be read, and recovers when it can', () => {
    const files = createProcFiles();
    const file = files.file(`${fake.root}/later`);
    expect(files.read(file)).toBe(-1);
    expect(file.problem).toBe('ENOENT');
    fake.write('later', 'x');
    expect(files.read(file)).toBe(1);
    expect(file.problem).toBeNull();
    files.close();
  });

  it('names the way out when descriptors have run out', () => {
    expect(describeProblem('EMFILE')).toContain('raise the limit of open files');
  });
});
