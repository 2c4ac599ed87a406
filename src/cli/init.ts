import { writeFileSync } from 'node:fs';
import { DEFAULT_FILE } from '../policy/load.ts';
import { initTemplate } from '../policy/template.ts';
import { type Command, EXIT } from './command.ts';

export const command: Command = {
  summary: 'write a commented memory_policy.yaml',
  usage: '[FILE] [--yes] [--json]',
  takesFile: true,
  options: { yes: { type: 'boolean' }, json: { type: 'boolean' } },
  help: {
    yes: 'replace the file when there is one',
    json: 'print what was written as JSON',
  },
  async run({ values, positionals }, io) {
    const [file = DEFAULT_FILE] = positionals;
    try {
      writeFileSync(file, initTemplate(), { flag: values.yes ? 'w' : 'wx' });
    } catch (error) {
      const exists = error instanceof Error && 'code' in error && error.code === 'EEXIST';
      if (!exists) throw error;
      io.err(`memwarden: ${file} is there already; --yes replaces it.`);
      return EXIT.failure;
    }
    if (values.json) io.out(JSON.stringify({ file }));
    io.err(`wrote ${file}; it changes nothing until you remove a "#"`);
    return EXIT.fine;
  },
};
