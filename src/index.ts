/** The only barrel. A Fastify plugin, the engine behind it, and the whole service. */

export type { AppOptions } from './app.ts';
export { buildApp } from './app.ts';
export type { Reading, TargetState } from './collect/reading.ts';
export { codes, type MemCode } from './errors.ts';
export { type MemwardenOptions, memwarden, memwarden as default } from './plugin.ts';
export { loadPolicy, parsePolicy } from './policy/load.ts';
export type { Policy } from './policy/policy.ts';
export { type Cleaner, type CleanerResult, SkipCleaner } from './respond/cleaner.ts';
export type { CleanupRun } from './respond/cleanup.ts';
export { type AlertEvent, createWarden, type Warden, type WardenOptions } from './warden.ts';
