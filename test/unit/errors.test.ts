import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { catalogue, codes, type MemCode } from '../../src/errors.ts';

describe('error codes', () => {
  it('are all documented, and no other is', () => {
    const page = readFileSync(new URL('../../docs/reference/errors.md', import.meta.url), 'utf8');
    const documented = [...page.matchAll(/^\| `(MEM_\w+)`/gm)].map(([, code]) => code);
    expect(documented.sort()).toEqual(Object.keys(catalogue).sort());
  });

  it.each(Object.keys(catalogue) as MemCode[])('%s carries its code, status and cause', (code) => {
    const cause = new Error('why');
    const error = new codes[code]('what to do: 100 %', { cause });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      code,
      statusCode: catalogue[code].status,
      message: 'what to do: 100 %',
      cause,
    });
  });
});
