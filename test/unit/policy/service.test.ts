import { describe, expect, it } from 'vitest';
import {
  checkBudget,
  checkCleanupUrl,
  checkTargetName,
  registrationTarget,
} from '../../../src/policy/service.ts';

describe('a registration', () => {
  it.each(['', 'a/b', 'x'.repeat(65), 'ä', 'system', 'self', '../etc'])(
    'refuses the name %j',
    (name) => {
      expect(() => checkTargetName(name)).toThrow(/name:/);
    },
  );

  it.each([
    ['ftp://127.0.0.1/x', /http or https/],
    ['http://169.254.169.254/latest', /loopback/],
    ['http://example.com/', /loopback/],
    ['http://user:secret@127.0.0.1/', /credentials/],
    ['http://:secret@127.0.0.1/', /credentials/],
    ['not a url', /expected a URL/],
    ['http://127.0.0.1.example.com/', /loopback/],
  ])('refuses the cleanup URL %s', (url, reason) => {
    expect(() => checkCleanupUrl(url)).toThrow(reason);
  });

  it.each(['http://127.0.0.1:3000/trim', 'http://localhost/x', 'http://[::1]:8080/'])(
    'takes the cleanup URL %s',
    (url) => expect(checkCleanupUrl(url)).toBe(url),
  );

  it.each(['0MB', '-1MB', 'lots', '', '10'])('refuses the budget %j', (text) => {
    expect(() => checkBudget(text)).toThrow(/expected a size/);
  });

  it('becomes a target with a hook and a budget', () => {
    const target = registrationTarget(
      {
        name: 'api',
        pid: 42,
        includeChildren: true,
        budgetBytes: checkBudget('400MiB'),
        cleanupUrl: 'http://127.0.0.1:3000/trim',
        cleanupLevel: 'aggressive',
        metricsAddress: null,
        metricsPath: '/metrics',
        identity: null,
      },
      { warningPercent: 80, criticalPercent: 95 },
    );
    expect(target.match).toEqual({ pid: 42 });
    expect(target.budget).toEqual({
      maxBytes: 400 * 2 ** 20,
      warningPercent: 80,
      criticalPercent: 95,
    });
    expect(target.cleaners[0]?.http?.url).toBe('http://127.0.0.1:3000/trim');
  });
});
