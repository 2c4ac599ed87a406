/** A memory_policy.yaml with every setting commented out, written from the schema. */

import { stringify } from 'yaml';
import { rootNode, type SchemaNode } from './schema-node.ts';

const HEAD = `# memory_policy.yaml: what memwarden watches, and when it acts.
#
# Every key is optional, and this file as it stands changes nothing. A line with "#" and no space
# after it shows a default (targets and services: an example); remove the "#" to change it, and
# that of the keys it stands under. Every key there is: docs/reference/config.md.
# Check it with: memwarden check-config memory_policy.yaml`;

const BLOCK = { lineWidth: 0, aliasDuplicateObjects: false } as const;
const FLOW = { lineWidth: 0, collectionStyle: 'flow' } as const;

/** The text of the memory_policy.yaml that `memwarden init` writes; the same on every call. */
export function initTemplate(): string {
  const sections = Object.entries(rootNode.properties ?? {}).map(([key, node]) =>
    [`# ${node.description}`, ...settingLines(key, node).map(commented)].join('\n'),
  );
  return `${[HEAD, ...sections].join('\n\n')}\n`;
}

function settingLines(key: string, node: SchemaNode): string[] {
  if (node.properties !== undefined) return [`${key}:`, ...mappingLines(node.properties)];
  if (isBlock(node)) {
    return stringify({ [key]: node.example ?? node.default }, BLOCK)
      .trimEnd()
      .split('\n');
  }
  return [`${key}: ${inline(node.default)}`];
}

function mappingLines(properties: Readonly<Record<string, SchemaNode>>): string[] {
  const entries = Object.entries(properties).map(([key, node]) => ({
    node,
    lines: settingLines(key, node),
  }));
  const width = Math.max(
    ...entries.map(({ lines }) => (lines.length === 1 ? lines[0]!.length : 0)),
  );
  return entries.flatMap(({ node, lines: [first = '', ...rest] }) =>
    [`${rest.length === 0 ? first.padEnd(width) : first} # ${node.description}`, ...rest].map(
      (line) => `  ${line}`,
    ),
  );
}

/** Lists of mappings and mappings with free names are easier to read over several lines. */
function isBlock({ items, leaf, patternProperties }: SchemaNode): boolean {
  return (items !== undefined && leaf !== true) || patternProperties !== undefined;
}

function inline(value: unknown): string {
  return stringify(value, FLOW).trimEnd();
}

function commented(line: string): string {
  return line.replace(/\S/, '#$&');
}
