import { describe, expect, it } from 'vitest';
import { METRIC_KEYS, resolveMetricKey } from '../../../src/detect/metric-key.ts';

const facts = { systemTotalBytes: 16 * 2 ** 30, heapLimitBytes: 4 * 2 ** 30 };

/** The rule's value when the series holds `raw`. */
function ruleValueOf(key: string, raw: number): number {
  const { scale, offset } = resolveMetricKey(key, facts);
  return raw * scale + offset;
}

describe('resolveMetricKey', () => {
  it.each([
    ['process_memory_mb', 'target', 'rss_bytes', 2 ** 30, 1024, 'MiB'],
    ['heap_used_percent', 'target', 'heap_used_bytes', 3 * 2 ** 30, 75, '%'],
    ['event_loop_delay_ms', 'target', 'event_loop_delay_us', 1500, 1.5, 'ms'],
    ['threads', 'target', 'threads', 12, 12, ''],
    ['pressure_percent', 'target', 'pressure_basis_points', 8000, 80, '%'],
    ['budget_percent', 'target', 'budget_basis_points', 9500, 95, '%'],
    ['system_memory_percent', 'system', 'used_bytes', 4 * 2 ** 30, 25, '%'],
    ['system_available_mb', 'system', 'available_bytes', 2 ** 20, 1, 'MiB'],
    ['system_psi_full_percent', 'system', 'psi_full_avg10_x100', 1234, 12.34, '%'],
  ])('%s reads %s %s', (key, scope, series, raw, value, unit) => {
    expect(resolveMetricKey(key, facts)).toMatchObject({ scope, series, unit });
    expect(ruleValueOf(key, raw)).toBeCloseTo(value, 9);
  });

  it('resolves every documented key to its own series, with a finite scale', () => {
    expect(new Set(METRIC_KEYS.map(({ key }) => key)).size).toBe(METRIC_KEYS.length);
    for (const { key, series, scope, description } of METRIC_KEYS) {
      const ref = resolveMetricKey(key, facts);
      expect(ref).toMatchObject({ series, scope });
      expect(ref.scale).toBeGreaterThan(0);
      expect(description).not.toBe('');
    }
  });

  it('takes any other name as a custom gauge of the target, spelled out or not', () => {
    const gauge = {
      scope: 'target',
      series: 'custom.chat_sessions',
      scale: 1,
      offset: 0,
      unit: '',
    };
    expect(resolveMetricKey('chat_sessions', facts)).toEqual(gauge);
    expect(resolveMetricKey('custom.chat_sessions', facts)).toEqual(gauge);
    expect(resolveMetricKey('custom.threads', facts).series).toBe('custom.threads');
    expect(resolveMetricKey('__proto__', facts).series).toBe('custom.__proto__');
  });

  it.each([NaN, 0, -1, Infinity])(
    'makes a percentage of an unknown whole unknown (%d)',
    (whole) => {
      const unknown = { systemTotalBytes: whole, heapLimitBytes: whole };
      expect(resolveMetricKey('system_memory_percent', unknown).scale).toBeNaN();
      expect(resolveMetricKey('heap_used_percent', unknown).scale).toBeNaN();
      expect(resolveMetricKey('process_memory_mb', unknown).scale).toBe(2 ** -20);
    },
  );
});
