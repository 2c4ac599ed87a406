/**
 * The schema, as numbered steps forward. A step that has been released is never edited: its
 * checksum is in every file that has run it. To change the schema, add a step.
 */
export interface Migration {
  /** 1, 2, 3 … without gaps */
  readonly number: number;
  readonly name: string;
  readonly sql: string;
}

export const migrations: readonly Migration[] = [
  {
    number: 1,
    name: 'history segments and state',
    sql: `
CREATE TABLE series (
  id  INTEGER PRIMARY KEY,
  key TEXT UNIQUE NOT NULL
) STRICT;
CREATE TABLE segments (
  id       INTEGER PRIMARY KEY,
  level    INTEGER NOT NULL,
  step_ms  REAL    NOT NULL,
  first_ms REAL    NOT NULL,
  last_ms  REAL    NOT NULL,
  rows     INTEGER NOT NULL,
  body     BLOB NOT NULL
) STRICT;
CREATE TABLE state (
  key        TEXT PRIMARY KEY,
  value      TEXT NOT NULL,
  updated_ms INTEGER NOT NULL
) STRICT;
`,
  },
  {
    number: 2,
    name: 'segment bodies in parts',
    // Bodies of the format before this one cannot be read any more: history begins anew.
    sql: `
DROP TABLE segments;
CREATE TABLE segments (
  id       INTEGER PRIMARY KEY,
  level    INTEGER NOT NULL,
  step_ms  REAL    NOT NULL,
  first_ms REAL    NOT NULL,
  last_ms  REAL    NOT NULL,
  rows     INTEGER NOT NULL
) STRICT;
CREATE TABLE segment_parts (
  segment INTEGER NOT NULL REFERENCES segments (id) ON DELETE CASCADE,
  part    INTEGER NOT NULL,
  bytes   BLOB    NOT NULL,
  PRIMARY KEY (segment, part)
) STRICT;
`,
  },
];
