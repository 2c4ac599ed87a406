/**
 * YAML text to plain values and the place of each, without what makes YAML dangerous: no aliases,
 * anchors, tags, merge keys, second documents, `__proto__`, nor shapes that cost without bound.
 *
 * Measured with yaml 2.9 on 1 MiB of `{`: the process dies; on 1 MiB of `]`: 11 s and 1.4 GB. So
 * the text is first run through the parser alone, which is linear, and refused by depth and count.
 */

import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  Parser,
  parseDocument,
  type Scalar,
  type YAMLMap,
} from 'yaml';
import { type Finding, formatPath, type Path } from './finding.ts';

export interface Position {
  readonly line: number;
  readonly column: number;
}

export type LocatedFinding = Finding & { readonly position: Position | null };

export interface PolicyDocument {
  /** undefined when the text could not be understood at all */
  readonly value: unknown;
  readonly findings: readonly LocatedFinding[];
  /** where the path, or its nearest parent in the text, stands */
  positionOf(path: Path): Position | null;
}

const MAX_TEXT_BYTES = 2 ** 20;
const MAX_DEPTH = 64;
const MAX_LEXEMES = 100_000;
const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** Reads at most 1 MiB of YAML; never throws. Cost: 2 ms a kilobyte, 1.4 s for the worst text found. */
export function readYamlDocument(text: string): PolicyDocument {
  const { excess, documentOffsets } = survey(text);
  if (excess !== null) return rejected([{ path: [], ...excess, position: null }]);

  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    logLevel: 'error',
    merge: false,
    prettyErrors: false,
    resolveKnownTags: false,
    schema: 'core',
    stringKeys: true,
    // compared pair by pair, in the square of the keys: the walk below does it in one pass
    uniqueKeys: false,
  });
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const [, second] = documentOffsets;
  if (second !== undefined) {
    const got = `${documentOffsets.length} documents`;
    return rejected([{ path: [], expected: 'one YAML document', got, position: at(second) }]);
  }
  if (document.errors.length > 0) {
    return rejected(
      document.errors.map((error) => ({
        path: [],
        expected: 'valid YAML',
        got: withoutExcerpt(error.message),
        position: at(error.pos[0]),
      })),
    );
  }
  const walk: Walk = { at, positions: new Map(), findings: [] };
  const value = plainValue(walk, document.contents, []);
  const { positions, findings } = walk;
  return { value, findings, positionOf: (path) => nearestPosition(positions, path) };
}

interface Walk {
  readonly at: (offset: number) => Position;
  readonly positions: Map<string, Position>;
  readonly findings: LocatedFinding[];
}

function plainValue(walk: Walk, node: Node | null, path: Path): unknown {
  if (node === null) return null;
  const offset = node.range?.[0] ?? 0;
  const key = formatPath(path);
  // the value of a key is told at the key
  if (!walk.positions.has(key)) walk.positions.set(key, walk.at(offset));
  if (isAlias(node)) return refuse(walk, path, { got: 'an alias (*)', offset });
  if (node.anchor !== undefined) return refuse(walk, path, { got: 'an anchor (&)', offset });
  if (node.tag !== undefined) return refuse(walk, path, { got: 'a tag (!)', offset });
  if (isSeq<Node>(node)) {
    return node.items.map((item, index) => plainValue(walk, item, [...path, index]));
  }
  if (isMap<Scalar, Node | null>(node)) return plainMapping(walk, node, path);
  return isScalar(node) ? node.value : undefined;
}

function plainMapping(walk: Walk, node: YAMLMap<Scalar, Node | null>, path: Path): unknown {
  const entries = new Map<string, unknown>();
  for (const { key: keyNode, value } of node.items) {
    const key = String(keyNode.value);
    const keyPath = [...path, key];
    const offset = keyNode.range?.[0] ?? 0;
    if (entries.has(key)) {
      refuse(walk, keyPath, { got: 'the same key twice', offset });
    } else if (FORBIDDEN_KEYS.has(key)) {
      refuse(walk, keyPath, { got: 'a forbidden key', offset });
    } else {
      walk.positions.set(formatPath(keyPath), walk.at(offset));
      plainValue(walk, keyNode, keyPath);
      entries.set(key, plainValue(walk, value, keyPath));
    }
  }
  return Object.fromEntries(entries);
}

function refuse(
  walk: Walk,
  path: Path,
  { got, offset }: { got: string; offset: number },
): undefined {
  const expected = 'plain YAML: mappings, lists and values';
  walk.findings.push({ path, expected, got, position: walk.at(offset) });
}

function nearestPosition(positions: ReadonlyMap<string, Position>, path: Path): Position | null {
  for (let length = path.length; length > 0; length--) {
    const position = positions.get(formatPath(path.slice(0, length)));
    if (position !== undefined) return position;
  }
  return null;
}

interface Survey {
  readonly excess: Pick<Finding, 'expected' | 'got'> | null;
  /** where each document of the text begins */
  readonly documentOffsets: readonly number[];
}

function survey(text: string): Survey {
  const documentOffsets: number[] = [];
  const tooMuch = (expected: string): Survey => ({
    excess: { expected, got: 'more' },
    documentOffsets,
  });
  const note = (tokens: Iterable<{ type: string; offset: number }>): void => {
    // a generator: the parser moves on only when its tokens are asked for
    for (const { type, offset } of tokens) if (type === 'document') documentOffsets.push(offset);
  };
  if (Buffer.byteLength(text) > MAX_TEXT_BYTES) return tooMuch('at most 1 MiB of YAML');
  const parser = new Parser();
  let lexemes = 0;
  for (const lexeme of new Lexer().lex(text)) {
    note(parser.next(lexeme));
    lexemes += 1;
    if (lexemes > MAX_LEXEMES) return tooMuch('at most 100,000 YAML tokens');
    if (parser.stack.length > MAX_DEPTH) return tooMuch(`at most ${MAX_DEPTH} levels of nesting`);
  }
  note(parser.end());
  return { excess: null, documentOffsets };
}

function rejected(findings: readonly LocatedFinding[]): PolicyDocument {
  return { value: undefined, findings, positionOf: () => null };
}

/** Some parser messages quote the text, and the text may hold a secret. */
function withoutExcerpt(message: string): string {
  return message.replace(/["'`].*$/s, '…').replace(/\s+/g, ' ');
}
