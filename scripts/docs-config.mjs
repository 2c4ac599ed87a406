// Writes docs/reference/config.md and memory_policy.yaml from the schema of the policy.
import { mkdirSync, writeFileSync } from 'node:fs';
import { configReference } from '../dist/policy/reference.js';
import { initTemplate } from '../dist/policy/template.js';

mkdirSync('docs/reference', { recursive: true });
writeFileSync('docs/reference/config.md', configReference());
writeFileSync('memory_policy.yaml', initTemplate());
