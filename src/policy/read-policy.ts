/** Text + environment + flags → policy: read, lay over, fill in, check, locate, normalise. */

import { Check, Default } from '../typebox.ts';
import { checkAlerts } from './check-alerts.ts';
import { checkSettings } from './check-settings.ts';
import { checkShape } from './check-shape.ts';
import { checkTargets } from './check-targets.ts';
import { checkThresholds } from './check-thresholds.ts';
import { type Finding, formatPath } from './finding.ts';
import { normalise } from './normalise.ts';
import { notAvailableYet, warningsOf } from './notes.ts';
import {
  checkEnvironment,
  type Environment,
  type Override,
  overridesOf,
  type PolicyFlags,
} from './overrides.ts';
import type { Policy } from './policy.ts';
import type { TokenFile } from './policy-file.ts';
import { createPolicyInvalidError, type PolicyProblem } from './problem.ts';
import { policySchema, type RawPolicy } from './schema.ts';
import { rootNode } from './schema-node.ts';
import { type PolicyDocument, type Position, readYamlDocument } from './yaml-document.ts';

export interface ReadOptions {
  readonly source: string | null;
  readonly env: Environment;
  readonly flags: PolicyFlags;
  /** null: token files are not read */
  readonly readToken: ((file: string) => TokenFile) | null;
}

/** @throws MEM_POLICY_INVALID with every problem that was found */
export function readPolicy(text: string, options: ReadOptions): Policy {
  const { source, env, flags } = options;
  const document = readYamlDocument(text);
  const overrides = overridesOf(env, flags);
  const problems = checkEnvironment(env);
  const tell = createTeller({ file: source ?? 'policy', document, overrides, problems });

  for (const { position, ...finding } of document.findings) tell(finding, position);
  if (document.value === undefined) throw createPolicyInvalidError(problems);
  // both of these change the value in place, so what was written is noted first
  const sections = isMapping(document.value) ? Object.keys(document.value) : [];
  const completed = Default(policySchema, layOver(document.value ?? {}, overrides));
  const shapeFindings = checkShape(rootNode, completed);
  for (const finding of shapeFindings) tell(finding);

  const raw = withoutBrokenSections(completed, shapeFindings);
  if (raw === null) throw createPolicyInvalidError(problems);
  const written = new Set(sections.filter((section) => !hasFault(section, shapeFindings)));
  for (const finding of checkMeaning(raw, written)) tell(finding);

  const { token, warnings } = tokenOf(raw, options, tell);
  if (problems.length > 0) throw createPolicyInvalidError(problems);
  return normalise(raw, {
    source,
    token,
    notAvailableYet: notAvailableYet(raw, written),
    warnings: [...warnings, ...warningsOf(raw)],
  });
}

function checkMeaning(raw: RawPolicy, written: ReadonlySet<string>): Finding[] {
  return [
    ...checkSettings(raw),
    ...checkTargets(raw),
    ...(written.has('thresholds') ? checkThresholds(raw) : []),
    ...checkAlerts(raw),
  ];
}

/** The environment comes before the file: with MEMWARDEN_TOKEN set the token file is not opened. */
function tokenOf(
  { server: { token_file: file } }: RawPolicy,
  { env, readToken }: ReadOptions,
  tell: (finding: Finding) => void,
): { token: string | null; warnings: string[] } {
  if (env.MEMWARDEN_TOKEN !== undefined) return { token: env.MEMWARDEN_TOKEN, warnings: [] };
  if (file === null || readToken === null) return { token: null, warnings: [] };
  const read = readToken(file);
  if (!('token' in read)) {
    tell({ path: ['server', 'token_file'], ...read });
    return { token: null, warnings: [] };
  }
  const warning = 'server.token_file: every user of this machine can read it; chmod o-r mends that';
  return { token: read.token, warnings: read.isReadableByOthers ? [warning] : [] };
}

function layOver(value: unknown, overrides: readonly Override[]): unknown {
  for (const override of overrides) {
    const [section = '', key] = override.path;
    if (!isMapping(value)) continue;
    if (key === undefined) {
      value[section] = override.value;
      continue;
    }
    value[section] ??= {};
    const mapping = value[section];
    if (isMapping(mapping)) mapping[key] = override.value;
  }
  return value;
}

/**
 * Every section with a fault gives way to its default, so that the others can still be checked;
 * null when the file is no mapping at all.
 */
function withoutBrokenSections(completed: unknown, findings: readonly Finding[]): RawPolicy | null {
  if (!isMapping(completed)) return null;
  const defaults = Default(policySchema, {}) as Record<string, unknown>;
  const sound = Object.keys(defaults).filter((section) => !hasFault(section, findings));
  const raw = { ...defaults, ...Object.fromEntries(sound.map((key) => [key, completed[key]])) };
  return Check(policySchema, raw) ? raw : null;
}

function hasFault(section: string, findings: readonly Finding[]): boolean {
  return findings.some(({ path }) => path[0] === section);
}

/** Adds findings to `problems` with the place where they can be mended; one for each key. */
function createTeller({
  file,
  document,
  overrides,
  problems,
}: {
  readonly file: string;
  readonly document: PolicyDocument;
  readonly overrides: readonly Override[];
  readonly problems: PolicyProblem[];
}): (finding: Finding, position?: Position | null) => void {
  const told = new Set<string>();
  return ({ path, expected, got }, position = document.positionOf(path)) => {
    const key = formatPath(path);
    if (path.length > 0 && told.has(key)) return;
    told.add(key);
    const origin = overrides.findLast((override) => formatPath(override.path) === key)?.origin;
    const place = origin ?? { file, key };
    const { line, column } = (origin === undefined ? position : null) ?? {
      line: null,
      column: null,
    };
    problems.push({ ...place, line, column, expected, got });
  };
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
