/** When two answers count as the same. */
import { hostname } from 'node:os';
import { toJson } from '../../../src/otlp/json-writer.js';
import type { ExportedSignal, ParityAnswer, ParityCase } from './case.js';
import { INPUTS } from './inputs.js';

/** What of an answer is kept and compared. */
export interface Comparable {
  /** Sentences with which the settings are refused, whether when they are read or when the pipeline is built. */
  readonly refused?: readonly string[];
  readonly consumeError?: string;
  /** Spans that a sampler let through, by trace id and span id; those of a trace come in any order. */
  readonly kept?: readonly string[];
  /** Differences between what came in and what left: `path` and what stands there now (absent: nothing any more). */
  readonly changes?: Readonly<Record<string, unknown>>;
  /** What an exporter printed. */
  readonly logs?: readonly string[];
  /** What an exporter wrote, by file: OTLP/JSON lines as their values, everything else in base64. */
  readonly files?: Readonly<Record<string, unknown>>;
}

/**
 * Makes an answer comparable. Several errors, attributes and data points that a Collector takes from a Go map have no
 * order.
 */
export function comparable(one: ParityCase, answer: ParityAnswer): Comparable {
  const { id, component, signal, input: name } = one;
  const normal = (value: unknown) => keyed(value, id.includes('aggregate_'));
  const input = INPUTS[name];
  const { configError, createError, startError, consumeError, output, logs, files } = answer;
  const error = configError ?? createError ?? startError;
  if (error !== undefined) return { refused: sentences(error) };
  if (consumeError !== undefined) return { consumeError };
  if (component === 'debug')
    return { logs: (logs ?? []).map(orderedFields).map(roundedNumbers), files: texts(files) };
  if (component === 'file') {
    return { files: /"format":"proto"/.test(one.config) ? messages(signal, files) : texts(files) };
  }
  if (component === 'tail_sampling') return { kept: spanIds(output).sort() };
  const changes: Record<string, unknown> = {};
  difference('', normal(input), normal(output ?? {}), changes);
  for (const [path, value] of Object.entries(changes)) {
    if (path.endsWith('/@host.name/stringValue') && value === hostname())
      changes[path] = 'THE NAME OF THIS MACHINE';
  }
  return { changes };
}

/** Numbers to 14 digits: the last bits of what a mathematical library computes are nobody's contract. */
const roundedNumbers = (line: string): string =>
  line.replace(/\d\.\d{14,}(e[-+]\d+)?/g, (number) => Number(number).toPrecision(14));

/** Log lines with their fields in one order. */
const orderedFields = (line: string): string => {
  const [, message, fields] = /^(.*)\t(\{.*\})$/s.exec(line) ?? [];
  return fields === undefined ? line : `${message}\t${JSON.stringify(unordered(JSON.parse(fields)))}`;
};

/** Full files are named after the time at which they were full, and it shows in what order they were begun. */
function texts(files: Readonly<Record<string, string>> = {}): Record<string, unknown> {
  const all: Record<string, unknown> = {};
  for (const [name, content] of Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1))) {
    let known = name.replace(/-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}/, '-TIME');
    while (known in all) known += '+';
    const bytes = Buffer.from(content, 'base64');
    const lines = bytes.toString('utf8').split('\n');
    if (bytes.length > 65_536) all[known] = `${bytes.length} bytes`;
    else if (lines.at(-1) !== '' || !lines[0]!.startsWith('{'))
      all[known] = lines.every(isPrintable) ? lines.map(roundedNumbers) : content;
    else all[known] = lines.slice(0, -1).map((line) => JSON.parse(line) as unknown);
  }
  return all;
}

/** Files of requests after their lengths, as OTLP/JSON: fields of a message have no order. */
const messages = (signal: ExportedSignal, files: Readonly<Record<string, string>> = {}) =>
  Object.fromEntries(
    Object.entries(files).map(([name, content]) => {
      const bytes = Buffer.from(content, 'base64');
      const found: unknown[] = [];
      for (let at = 0; at < bytes.length; ) {
        const end = at + 4 + bytes.readUInt32BE(at);
        if (end > bytes.length) throw new Error(`${name} ends within a message`);
        found.push(JSON.parse(toJson(signal, bytes.subarray(at + 4, end))));
        at = end;
      }
      return [name, found];
    }),
  );

const isPrintable = (line: string): boolean => !/[\p{Cc}\ufffd]/u.test(line.replaceAll('\t', ''));

const spanIds = (value: unknown): string[] => {
  if (Array.isArray(value)) return value.flatMap(spanIds);
  if (!isObject(value)) return [];
  if (typeof value.spanId === 'string') return [`${String(value.traceId)}/${value.spanId}`];
  return Object.values(value).flatMap(spanIds);
};

const sentences = (text: string): string[] =>
  [...new Set(text.split('\n').map((line) => contextLists(line.replaceAll('\u00a0', ' ').trim())))]
    // What a Collector adds when it has tried until its deadline.
    .filter(
      (line) =>
        line !== '' &&
        line !== 'context deadline exceeded' &&
        !line.endsWith('decoding failed due to the following error(s):'),
    )
    .sort();

/** Names of contexts in one order: a Collector takes them from a Go map. */
const contextLists = (line: string): string =>
  line.replace(
    /"(?:resource|(?:instrumentation_)?scope|otelcol|span|spanevent|metric|datapoint|exemplar|log)(?:\.\w+)?"(?:,? "(?:\w+)(?:\.\w+)?")+/g,
    (list) => list.split(/,? /).sort().join(' '),
  );

/**
 * Attributes as objects, so that their order does not count and a change of one is a change of one. `sortPoints`: data
 * points in one order.
 */
function keyed(value: unknown, sortPoints: boolean): unknown {
  const normal = (item: unknown) => keyed(item, sortPoints);
  // The last bits of what a mathematical library computes are nobody's contract.
  if (typeof value === 'number') return Number(value.toPrecision(14));
  if (typeof value !== 'object' || value === null) return value;
  if (!Array.isArray(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [
        key,
        sortPoints && key === 'dataPoints' ? unordered(normal(item)) : normal(item),
      ]),
    );
  }
  const keys = value.map((item) => (item as { key?: unknown } | null)?.key);
  const isMap = keys.length > 0 && keys.every((key) => typeof key === 'string');
  if (!isMap || new Set(keys).size < keys.length) return value.map(normal);
  return Object.fromEntries(
    value.map((item: { key: string; value?: unknown }) => [`@${item.key}`, normal(item.value ?? {})]),
  );
}

/** Notes where `after` is not `before`. */
function difference(path: string, before: unknown, after: unknown, changes: Record<string, unknown>): void {
  if (Array.isArray(before) && Array.isArray(after)) {
    if (before.length !== after.length) changes[path] = unordered(after);
    else
      for (const [index, item] of after.entries())
        difference(`${path}/${index}`, before[index], item, changes);
  } else if (isObject(before) && isObject(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)].sort())) {
      if (!(key in after)) changes[`${path}/${key}`] = null;
      else if (!(key in before)) changes[`${path}/${key}`] = unordered(after[key]);
      else difference(`${path}/${key}`, before[key], after[key], changes);
    }
  } else if (before !== after) changes[path] = unordered(after);
}

/** Data points in one order, keys too. */
function unordered(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(unordered);
    const isPoints = items.every((item) => isObject(item) && 'timeUnixNano' in item && !('body' in item));
    return isPoints ? items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : items;
  }
  if (!isObject(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, unordered(item)]));
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
