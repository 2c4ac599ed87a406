import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parsePolicy } from '../../../src/policy/load.ts';
import { configReference } from '../../../src/policy/reference.ts';
import { initTemplate } from '../../../src/policy/template.ts';

const ROOT = join(import.meta.dirname, '../../..');

describe('initTemplate', () => {
  it('is the committed memory_policy.yaml', () => {
    expect(initTemplate()).toBe(readFileSync(join(ROOT, 'memory_policy.yaml'), 'utf8'));
  });

  it('changes nothing as it stands', () => {
    expect(parsePolicy(initTemplate())).toEqual(parsePolicy(''));
  });

  it('shows the defaults: with every comment removed only the examples differ', () => {
    const uncommented = initTemplate().replace(/^( *)#(?=[^ #\n])/gm, '$1');
    const policy = parsePolicy(uncommented);
    expect(policy.targets.map(({ name }) => name)).toEqual(['api']);
    expect([...policy.serviceBudgets.keys()]).toEqual(['api']);
    const { targets, serviceBudgets, notAvailableYet } = parsePolicy('');
    expect({ ...policy, targets, serviceBudgets, notAvailableYet }).toEqual(parsePolicy(''));
  });
});

describe('configReference', () => {
  it('is the committed docs/reference/config.md', () => {
    expect(configReference()).toBe(readFileSync(join(ROOT, 'docs/reference/config.md'), 'utf8'));
  });

  it('has a row for every key of the documented example', () => {
    const fixture = readFileSync(join(ROOT, 'test/fixtures/policy/full.yaml'), 'utf8');
    const text = fixture.replace(/#.*$/gm, '');
    const keys = new Set([...text.matchAll(/([a-z_]+): /g)].map(([, key]) => `${key}`));
    const services = ['messaging', 'autonomous_workflow', 'vector_database', 'agent_workspace'];
    const missing = [...keys].filter(
      (key) => !services.includes(key) && !new RegExp(`[\`.]${key}[\`.[]`).test(configReference()),
    );
    expect(missing).toEqual([]);
  });
});
