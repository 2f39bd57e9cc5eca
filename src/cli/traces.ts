/** `kindling traces`: the recent or the slowest requests of the store, one line each with the cause. */
import { parseDuration } from '../config/duration.js';
import { renderTraceList } from '../explain/render-list.js';
import { detectStyle } from '../explain/style.js';
import { explainTrace, readSpans, type TraceExplanation } from '../explain/trace-explanation.js';
import { traceSummaryToJson } from '../explain/trace-json.js';
import {
  ENTRY_FLAG_CALL,
  ENTRY_FLAG_ERROR,
  ENTRY_FLAG_SERVING,
  type EntrySpan,
} from '../store/segment-index.js';
import type { StoreReader } from '../store/store-reader.js';
import { type Command, EXIT_FAILURE, EXIT_OK, UsageError } from './command.js';
import { openStore } from './open-store.js';
import { parsePlainOptions } from './options.js';

const HELP = `Usage: kindling traces [--slow] [--errors] [--service NAME] [--since 5m] [--limit N] [--calls] [--json]
                       [--store DIR]

Lists traces from the agent's store, newest first, with the reason for their duration.

  --slow           slowest first
  --errors         only requests that failed
  --service NAME   requests as this service saw them
  --since 5m       only requests that ended in this last time (Go duration: 30s, 5m, 1h30m)
  --limit N        how many (default 20)
  --calls          also outbound calls that belong to no known request
  --json           the same as JSON
  --store DIR      the store's directory (default: KINDLING_STORE, else the agent's default directory)
`;

const MAX_LIMIT = 10_000;

/** Exit code 0: found; 1: nothing found. */
export const tracesCommand: Command = async (args, io) => {
  const { values } = parsePlainOptions(
    args,
    {
      slow: { type: 'boolean', default: false },
      errors: { type: 'boolean', default: false },
      calls: { type: 'boolean', default: false },
      service: { type: 'string' },
      since: { type: 'string' },
      limit: { type: 'string', default: '20' },
      json: { type: 'boolean', default: false },
      store: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
    { exactly: 0 },
  );
  if (values.help) {
    io.out(HELP);
    return EXIT_OK;
  }
  const now = (io.now ?? Date.now)();
  const sinceMs = values.since === undefined ? 0 : now - parseSince(values.since);
  const limit = parseLimit(values.limit);
  const { directory, reader } = await openStore(values.store, io);
  const entries = selectEntries(reader.entries(), {
    slow: values.slow,
    limit,
    accept: (entry) =>
      entry.endMs >= sinceMs &&
      (values.calls || (entry.flags & ENTRY_FLAG_CALL) === 0) &&
      (!values.errors || (entry.flags & ENTRY_FLAG_ERROR) !== 0) &&
      (values.service === undefined || entry.service === values.service),
  });
  const traces = await explainEntries(reader, entries);
  if (values.json) {
    const report = { ...reader.report };
    const json = { store: directory, report, traces: traces.map(traceSummaryToJson) };
    io.out(`${JSON.stringify(json, null, 2)}\n`);
    return traces.length > 0 ? EXIT_OK : EXIT_FAILURE;
  }
  if (traces.length === 0) {
    throw new Error(`No such traces in ${directory} (${reader.report.segments} segments read).`);
  }
  const style = detectStyle({ isTty: io.terminal !== undefined, columns: io.terminal?.columns, env: io.env });
  io.out(`${renderTraceList(traces, now, style, io.terminal !== undefined).join('\n')}\n`);
  if (io.terminal !== undefined) io.out('\nkindling trace ID shows one of them in full.\n');
  if (reader.report.corruptRegions > 0) {
    io.err(`${reader.report.corruptRegions} damaged places in the store were skipped.\n`);
  }
  return EXIT_OK;
};

interface Selection {
  readonly slow: boolean;
  readonly limit: number;
  readonly accept: (entry: EntrySpan) => boolean;
}

/** One entry for each trace: the longest span that serves a request, else the longest without a parent. */
export const selectEntries = (entries: Iterable<EntrySpan>, selection: Selection): EntrySpan[] => {
  const best = new Map<string, EntrySpan>();
  for (const entry of entries) {
    if (!selection.accept(entry)) continue;
    const known = best.get(entry.traceId);
    if (known === undefined || isBetter(entry, known)) best.set(entry.traceId, entry);
  }
  return [...best.values()]
    .sort((a, b) => (selection.slow ? b.durationNs - a.durationNs : b.endMs - a.endMs))
    .slice(0, selection.limit);
};

const isBetter = (a: EntrySpan, b: EntrySpan): boolean => {
  const serving = (a.flags & ENTRY_FLAG_SERVING) - (b.flags & ENTRY_FLAG_SERVING);
  return serving === 0 ? a.durationNs > b.durationNs : serving > 0;
};

const explainEntries = async (
  reader: StoreReader,
  entries: readonly EntrySpan[],
): Promise<TraceExplanation[]> => {
  const traces: TraceExplanation[] = [];
  for (const { traceId, spanId } of entries) {
    const spans = readSpans(await reader.batchesOf(traceId), (id) => id === traceId).get(traceId) ?? [];
    const trace = explainTrace(spans, spanId);
    if (trace !== undefined) traces.push(trace);
  }
  return traces;
};

const parseSince = (text: string): number => {
  const ms = parseDuration(text);
  if (ms === undefined || ms <= 0)
    throw new UsageError(`--since "${text}" is not a duration such as 30s, 5m, 1h.`);
  return ms;
};

const parseLimit = (text: string): number => {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    throw new UsageError(`--limit "${text}" is not a number from 1 to ${MAX_LIMIT}.`);
  }
  return limit;
};
