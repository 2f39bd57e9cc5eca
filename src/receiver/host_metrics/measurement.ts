import type { MetricDefinition } from '../../metrics/definition.js';
import { readFolder, readText } from '../../observer/process/proc-files.js';
import type { AttributesInput } from '../../otlp/attribute-writer.js';

/** A value that the kernel keeps, as it was read. */
export interface Measurement {
  readonly metric: MetricDefinition;
  readonly attributes: AttributesInput;
  readonly value: number;
}

const MAX_FILE_BYTES = 4 << 20;

/** The files of one host, below a root that may be a mount of another's. Reading never throws. */
export class HostFiles {
  readonly root: string;

  /** '' for this host; `/hostfs` where its root is mounted there. */
  constructor(root: string) {
    this.root = root === '/' ? '' : root;
  }

  /** Undefined when it can't be read. */
  text(path: string): string | undefined {
    return readText(this.root + path, MAX_FILE_BYTES);
  }

  lines(path: string): string[] {
    return (this.text(path) ?? '').split('\n').filter((line) => line !== '');
  }

  /** A file of the host's network namespace; of our own when that one can't be read. */
  netLines(name: string): string[] {
    const lines = this.lines(`/proc/1/net/${name}`);
    return lines.length > 0 ? lines : this.lines(`/proc/net/${name}`);
  }

  folder(path: string): string[] {
    return readFolder(this.root + path);
  }
}

export type Scraper = (files: HostFiles) => Measurement[];

const define =
  (kind: MetricDefinition['kind']) =>
  (name: string, unit: string, description: string): MetricDefinition => ({
    name,
    unit,
    description,
    kind,
    ...(unit === 's' ? { isDouble: true } : {}),
  });

export const counter = define('counter');
export const upDownCounter = define('up_down_counter');
export const gauge = define('gauge');

/** `MemTotal:  16 kB` and the like, in the unit of the file. */
export function keyedNumbers(lines: readonly string[]): Map<string, number> {
  const numbers = new Map<string, number>();
  for (const line of lines) {
    const match = /^([^\s:]+):?\s+(-?\d+)/.exec(line);
    if (match !== null) numbers.set(match[1]!, Number(match[2]));
  }
  return numbers;
}
