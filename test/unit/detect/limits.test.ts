import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { effectiveLimit, type LimitUsage } from '../../../src/detect/limits.ts';

const MIB = 2 ** 20;

function limit(kind: LimitUsage['kind'], name: string, usedMib: number, ofMib: number): LimitUsage {
  return { kind, name, limitBytes: ofMib * MIB, usageBytes: usedMib * MIB };
}

describe('effectiveLimit', () => {
  it('binds the one with the least headroom, not the smallest nor the fullest', () => {
    const { binding, limits } = effectiveLimit([
      limit('v8_heap', 'heap limit', 90, 400),
      limit('cgroup', '/app', 812, 1024),
      limit('cgroup', '/', 3800, 4096),
      limit('host', 'host', 14_000, 16_384),
    ]);
    expect(binding).toMatchObject({ name: '/app', headroomBytes: 212 * MIB });
    expect(binding?.usedPercent).toBeCloseTo(79.3, 1);
    expect(limits.map(({ name }) => name)).toEqual(['heap limit', '/app', '/', 'host']);
  });

  it('says it in words', () => {
    const reasonOf = (...inputs: LimitUsage[]) => effectiveLimit(inputs).reason;
    expect(reasonOf(limit('cgroup', '/app', 812, 1024))).toBe(
      'cgroup /app: 812 MiB of 1024 MiB used, 212 MiB left',
    );
    expect(reasonOf(limit('v8_heap', 'heap limit', 100, 4096))).toBe(
      'V8 heap limit: 100 MiB of 4096 MiB used, 3.9 GiB left',
    );
    expect(reasonOf(limit('budget', 'budget', 500, 400))).toBe(
      'budget: 500 MiB of 400 MiB used, 100 MiB over',
    );
    expect(reasonOf()).toBe('no limit is set');
    expect(reasonOf(limit('host', 'host', NaN, 1))).toBe('the usage of every limit is unknown');
  });

  it('leaves out what is no limit, and never binds an unknown usage', () => {
    const { binding, limits } = effectiveLimit([
      limit('cgroup', '/none', 1, Infinity),
      limit('cgroup', '/unreadable', 1, NaN),
      limit('cgroup', '/zero', 1, 0),
      limit('cgroup', '/blind', NaN, 10),
      limit('host', 'host', 1, 1000),
    ]);
    expect(limits.map(({ name }) => name)).toEqual(['/blind', 'host']);
    expect(limits[0]?.headroomBytes).toBeNaN();
    expect(binding?.name).toBe('host');
  });

  it('breaks ties by kind: V8, cgroup, budget, host', () => {
    const kinds = ['v8_heap', 'cgroup', 'budget', 'host'] as const;
    const anyOrder = fc.shuffledSubarray([...kinds], { minLength: 1 });
    fc.assert(
      fc.property(anyOrder, (order) => {
        const { binding } = effectiveLimit(order.map((kind, i) => limit(kind, kind, i, i + 10)));
        expect(binding?.kind).toBe(kinds.find((kind) => order.includes(kind)));
      }),
    );
  });

  it('binds a limit with no more headroom than any other', () => {
    const anyLimit = fc.record({
      kind: fc.constantFrom('v8_heap', 'cgroup', 'budget', 'host'),
      name: fc.string(),
      limitBytes: fc.oneof(fc.nat(), fc.constantFrom(NaN, Infinity, 0)),
      usageBytes: fc.oneof(fc.nat(), fc.constantFrom(NaN, Infinity)),
    });
    fc.assert(
      fc.property(fc.array(anyLimit as fc.Arbitrary<LimitUsage>), (inputs) => {
        const { binding, limits } = effectiveLimit(inputs);
        const known = limits.map((one) => one.headroomBytes).filter(Number.isFinite);
        expect(binding?.headroomBytes ?? Infinity).toBe(Math.min(...known));
      }),
    );
  });
});
