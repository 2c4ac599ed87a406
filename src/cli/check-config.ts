import { loadPolicy } from '../policy/load.ts';
import type { Policy } from '../policy/policy.ts';
import { describeProblems, problemsOf } from '../policy/problem.ts';
import { type Command, EXIT, type Io } from './command.ts';

export const command: Command = {
  summary: 'say whether a policy is valid, without starting',
  usage: '[FILE] [--json]',
  takesFile: true,
  options: { json: { type: 'boolean' } },
  help: { json: 'print {valid, source, problems, warnings, not_available_yet}' },
  async run({ values, positionals }, io) {
    const [config] = positionals;
    const report = values.json ? reportAsJson : reportAsText;
    try {
      report(io, { policy: loadPolicy({ env: io.env, flags: { config } }), problems: [] });
      return EXIT.fine;
    } catch (error) {
      const problems = problemsOf(error);
      if (problems.length === 0) throw error;
      report(io, { policy: null, problems });
      return EXIT.badConfig;
    }
  },
};

interface Outcome {
  readonly policy: Policy | null;
  readonly problems: ReturnType<typeof problemsOf>;
}

function reportAsText(io: Io, { policy, problems }: Outcome): void {
  if (policy === null) {
    io.out(describeProblems(problems));
    return;
  }
  io.out(`${policy.source ?? 'the defaults'}: valid`);
  for (const note of [...policy.warnings, ...policy.notAvailableYet]) io.err(`note: ${note}`);
}

function reportAsJson(io: Io, { policy, problems }: Outcome): void {
  const report = {
    valid: policy !== null,
    source: policy?.source ?? null,
    problems,
    warnings: policy?.warnings ?? [],
    not_available_yet: policy?.notAvailableYet ?? [],
  };
  io.out(JSON.stringify(report, null, 2));
}
