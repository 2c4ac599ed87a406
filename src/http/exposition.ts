/**
 * Prometheus text format 0.0.4, written for pages whose labels stay and whose numbers change.
 *
 * Method: each sample's `name{labels} ` is rendered to bytes once, when it is added. A scrape copies
 * those bytes into one kept buffer and writes the digits between them, so it makes no string but
 * the page itself. Families come out in the order they were made, samples likewise, labels sorted.
 * An unknown value (NaN) is an absent series; a family of which nothing is known prints nothing.
 *
 * Cost: see bench/metrics.mjs. Memory: about 500 bytes a sample plus a buffer as large as the page.
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/
 */

import { createPage, type Page } from './exposition-page.ts';

/** Histograms and summaries are prom-client's part of the page. */
export type FamilyType = 'gauge' | 'counter' | 'untyped';

export interface FamilySpec {
  readonly name: string;
  readonly help: string;
  readonly type: FamilyType;
}

/** One number of a row that is rewritten, or replaced by a longer one, between scrapes. */
export interface Cell {
  readonly source: { readonly row: Float64Array };
  readonly column: number;
  /** multiplies the number, such as 1 / 1000 for a column of milliseconds; 1 when not set */
  readonly scale?: number;
}

export interface Sample {
  /** Takes the series off the page. Doing it twice does nothing. */
  remove(): void;
}

export interface Family {
  /**
   * Adds a series that reads its value at every scrape: from a cell, or from a function, which must
   * not throw. NaN, or a column past the end of the row, leaves the series out of that scrape.
   * Label values may hold anything. Throws a TypeError for a bad label name and for a label set
   * this family already has.
   */
  sample(labels: Readonly<Record<string, string>>, read: Cell | (() => number)): Sample;
}

export interface Exposition {
  /** Throws a TypeError for a bad metric name and for a name that is taken. */
  family(spec: FamilySpec): Family;
  /** What was made so far, in order: for documentation. */
  families(): readonly FamilySpec[];
  /** The page as it is now, every line ended; '' when nothing is known. */
  render(): string;
}

/** Send the page with this content type. */
export const EXPOSITION_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

interface Series {
  readonly prefix: Uint8Array;
  readonly read: Cell | (() => number);
}

interface FamilySeries {
  readonly spec: FamilySpec;
  readonly header: Uint8Array;
  readonly byPrefix: Map<string, Series>;
}

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
// A leading double underscore is Prometheus's own.
const LABEL_NAME = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/;

/** An empty page. It is written from one place, by one thread; a scrape takes nothing but CPU. */
export function createExposition(): Exposition {
  const families = new Map<string, FamilySeries>();
  const page = createPage();

  return {
    family(spec) {
      if (families.has(spec.name)) throw new TypeError(`The family ${spec.name} exists already`);
      const byPrefix = new Map<string, Series>();
      families.set(spec.name, { spec, header: Buffer.from(renderHeader(spec)), byPrefix });
      return createFamily(spec.name, byPrefix);
    },
    families: () => Array.from(families.values(), ({ spec }) => spec),
    render() {
      page.clear();
      for (const family of families.values()) writeFamily(page, family);
      return page.text();
    },
  };
}

function createFamily(name: string, byPrefix: Map<string, Series>): Family {
  return {
    sample(labels, read) {
      const prefix = renderPrefix(name, labels);
      if (byPrefix.has(prefix)) throw new TypeError(`The series ${prefix}exists already`);
      const series = { prefix: Buffer.from(prefix), read };
      byPrefix.set(prefix, series);
      return {
        remove() {
          // The same labels may have been added again since.
          if (byPrefix.get(prefix) === series) byPrefix.delete(prefix);
        },
      };
    },
  };
}

function writeFamily(page: Page, { header, byPrefix }: FamilySeries): void {
  let isEmpty = true;
  for (const { prefix, read } of byPrefix.values()) {
    const value = currentValue(read);
    if (Number.isNaN(value)) continue;
    if (isEmpty) page.write(header);
    isEmpty = false;
    page.writeLine(prefix, value);
  }
}

function currentValue(read: Cell | (() => number)): number {
  if (typeof read === 'function') return read();
  return (read.source.row[read.column] ?? Number.NaN) * (read.scale ?? 1);
}

function renderHeader({ name, help, type }: FamilySpec): string {
  if (!METRIC_NAME.test(name)) throw new TypeError(`Not a Prometheus metric name: ${name}`);
  return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`;
}

function renderPrefix(name: string, labels: Readonly<Record<string, string>>): string {
  const rendered = Object.entries(labels).map(renderLabel).sort().join(',');
  return rendered === '' ? `${name} ` : `${name}{${rendered}} `;
}

function renderLabel([name, value]: [string, string]): string {
  if (!LABEL_NAME.test(name)) throw new TypeError(`Not a Prometheus label name: ${name}`);
  return `${name}="${escapeLabelValue(wellFormed(value))}"`;
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function escapeLabelValue(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}

/** A lone surrogate becomes U+FFFD here rather than on the page, where two could collide. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}
