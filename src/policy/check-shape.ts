/**
 * Compares a value with the schema and finds every fault, one per key, in the words of the key's
 * own `expected`. TypeBox checks the values; the walk is here because its own error list stops at
 * eight and tells a failed union once per branch.
 */

import { Check } from '../typebox.ts';
import { expectOneOf } from './did-you-mean.ts';
import { describeValue, type Finding, type Path } from './finding.ts';
import type { SchemaNode } from './schema-node.ts';
import { typeOf } from './schema-node.ts';

/** Every fault of `value`, defaults already filled in. Empty exactly when TypeBox accepts it. */
export function checkShape(node: SchemaNode, value: unknown, path: Path = []): Finding[] {
  if (node.properties !== undefined || node.patternProperties !== undefined) {
    if (!isMapping(value)) return [{ path, expected: 'a mapping', got: describeValue(value) }];
    return node.properties === undefined
      ? checkNames(node, value, path)
      : checkKeys(node, node.properties, value, path);
  }
  const { items } = node;
  if (items !== undefined && node.leaf !== true) {
    if (!Array.isArray(value)) return [{ path, expected: 'a list', got: describeValue(value) }];
    return value.flatMap((item, index) => checkShape(items, item, [...path, index]));
  }
  if (Check(typeOf(node), value)) return [];
  const expected = node.expectedOf?.(value) ?? node.expected ?? 'another value';
  return [{ path, expected, got: describeValue(value) }];
}

function checkKeys(
  node: SchemaNode,
  properties: Readonly<Record<string, SchemaNode>>,
  value: Readonly<Record<string, unknown>>,
  path: Path,
): Finding[] {
  const known = Object.keys(properties);
  const unknown = Object.keys(value).filter((key) => !known.includes(key));
  return [
    ...unknown.map((key) => ({
      path: [...path, key],
      expected: expectOneOf(key, known),
      got: 'an unknown key',
    })),
    ...Object.entries(properties).flatMap(([key, property]) =>
      Object.hasOwn(value, key) || node.required?.includes(key)
        ? checkShape(property, value[key], [...path, key])
        : [],
    ),
  ];
}

function checkNames(
  node: SchemaNode,
  value: Readonly<Record<string, unknown>>,
  path: Path,
): Finding[] {
  const [[source, property] = ['', {}]] = Object.entries(node.patternProperties ?? {});
  const accepted = new RegExp(source);
  return Object.entries(value).flatMap(([key, item]) =>
    accepted.test(key)
      ? checkShape(property, item, [...path, key])
      : [
          {
            path: [...path, key],
            expected: `a name of ${node.expectedKey}`,
            got: describeValue(key),
          },
        ],
  );
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
