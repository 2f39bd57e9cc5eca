/** `kindling trace ID`: one trace from the store, explained. */

import { writeFile } from 'node:fs/promises';
import { controlSocketPath, isRoot } from '../control/socket-path.js';
import type { ExplainedSpan } from '../explain/explained-span.js';
import { DEFAULT_LIMITS, NO_LIMITS, renderTrace } from '../explain/render-trace.js';
import { detectStyle } from '../explain/style.js';
import { explainTrace, readSpans, type TraceExplanation } from '../explain/trace-explanation.js';
import { traceToJson } from '../explain/trace-json.js';
import { TRACE_FORMATS, type TraceWriter } from '../trace-export/formats.js';
import { mergedTotals, segmentsOf } from '../trace-export/segments.js';
import { type Command, EXIT_OK, UsageError } from './command.js';
import { openStore } from './open-store.js';
import { parsePlainOptions } from './options.js';
import { fetchSamples } from './trace-samples.js';

const HELP = `Usage: kindling trace TRACE_ID [--json] [--all] [--store DIR]
       kindling trace TRACE_ID --format FORMAT [--span SPAN_ID] [--output FILE]

Prints a trace from the agent's store: why it was slow, its spans on a time axis, and for each span the breakdown of its
time, its longest waits and its hottest stack.

  TRACE_ID      32 hex digits, or the first 8 or more when no other trace begins with them
  --json        the same as JSON
  --all         every span, however many there are
  --store DIR   the store's directory (default: KINDLING_STORE, else the agent's default directory)
  --format F    what each thread did, for a viewer: chrome (Perfetto), collapsed (flame graph tools), firefox, json,
                pprof, speedscope. Stacks come from the running agent, which remembers them for a while
  --span ID     only one span of it (16 hex digits, or the first ones)
  --output FILE write there instead of standard output
  --socket PATH the agent's control socket (default: KINDLING_CONTROL, else the agent's default)
`;

const LEAST_DIGITS = 8;
const MAX_CANDIDATES = 10;

/** Exit code 0: found; 1: not found. */
export const traceCommand: Command = async (args, io) => {
  const { values, positionals } = parsePlainOptions(
    args,
    {
      json: { type: 'boolean', default: false },
      all: { type: 'boolean', default: false },
      store: { type: 'string' },
      format: { type: 'string' },
      span: { type: 'string' },
      output: { type: 'string' },
      socket: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
    { atMost: Number.POSITIVE_INFINITY },
  );
  if (values.help) {
    io.out(HELP);
    return EXIT_OK;
  }
  const prefix = parseTraceId(positionals);
  const format = values.format === undefined ? undefined : parseFormat(values.format);
  if (format === undefined && (values.span ?? values.output ?? values.socket) !== undefined) {
    throw new UsageError('--span, --output and --socket are for --format.');
  }
  const { directory, reader } = await openStore(values.store, io);
  const traces = readSpans(await reader.batchesOf(prefix), (id) => id.startsWith(prefix));
  if (traces.size > 1) {
    const ids = [...traces.keys()].sort();
    const more = ids.length > MAX_CANDIDATES ? `\n  and ${ids.length - MAX_CANDIDATES} more` : '';
    throw new Error(
      `${ids.length} traces begin with ${prefix}:\n  ${ids.slice(0, MAX_CANDIDATES).join('\n  ')}${more}`,
    );
  }
  const trace = explainTrace([...traces.values()][0] ?? []);
  if (trace === undefined) {
    throw new Error(
      `No trace ${prefix} in ${directory}. It may be older than the store keeps, or not written yet. ` +
        'See "kindling traces" for the ones that are there.',
    );
  }
  if (format !== undefined) {
    const socket = values.socket ?? controlSocketPath(io.env, isRoot());
    const spanIds = values.span === undefined ? undefined : spansOfTrace(trace, values.span);
    const { byThread, problem } = await fetchSamples(trace, socket);
    const only = spanIds && ((span: ExplainedSpan) => spanIds.has(span.spanId));
    const segments = segmentsOf(trace, byThread, only);
    if (segments.length === 0) throw new Error('No thread is known to have worked for it: nothing to show.');
    if (problem !== undefined) io.err(`Not all stacks are there: ${problem}.\n`);
    const written = format(trace, segments, mergedTotals(trace, only));
    if (values.output !== undefined) await writeFile(values.output, written);
    else if (typeof written === 'string') io.out(written);
    else if (io.outBytes === undefined || io.terminal !== undefined) {
      throw new UsageError('This format is no text for a terminal: --output FILE writes it to a file.');
    } else io.outBytes(written);
    return EXIT_OK;
  }
  if (values.json) {
    io.out(`${JSON.stringify(traceToJson(trace), null, 2)}\n`);
    return EXIT_OK;
  }
  const style = detectStyle({
    isTty: io.terminal !== undefined,
    columns: io.terminal?.columns,
    env: io.env,
  });
  io.out(`${renderTrace(trace, style, values.all ? NO_LIMITS : DEFAULT_LIMITS).join('\n')}\n`);
  return EXIT_OK;
};

const parseFormat = (name: string): TraceWriter => {
  const writer = Object.hasOwn(TRACE_FORMATS, name) ? TRACE_FORMATS[name] : undefined;
  if (writer !== undefined) return writer;
  throw new UsageError(`--format "${name}" is none of ${Object.keys(TRACE_FORMATS).join(', ')}.`);
};

/** The span that is asked for and those below it: their threads' time is a part of it. */
const spansOfTrace = (trace: TraceExplanation, prefix: string): ReadonlySet<string> => {
  const found = trace.nodes.filter(({ span }) => span.spanId.startsWith(prefix.toLowerCase()));
  const ids = new Set(found.map(({ span }) => span.spanId));
  if (ids.size !== 1)
    throw new Error(
      `${ids.size === 0 ? 'No span' : 'More than one span'} of the trace begins with ${prefix}.`,
    );
  // Parents come before children.
  for (const { span, parent } of trace.nodes)
    if (parent !== undefined && ids.has(parent.span.spanId)) ids.add(span.spanId);
  return ids;
};

const parseTraceId = (positionals: readonly string[]): string => {
  const [id, ...rest] = positionals;
  if (id === undefined) throw new UsageError('Which trace? Give its id, or at least its first 8 digits.');
  if (rest.length > 0) throw new UsageError(`One trace at a time; got ${positionals.length} ids.`);
  // As copied from a log line or a UUID field.
  const digits = id.trim().toLowerCase().replaceAll('-', '');
  if (!/^[0-9a-f]*$/.test(digits)) throw new UsageError(`"${id}" is not a trace id: only hex digits are.`);
  if (digits.length < LEAST_DIGITS || digits.length > 32) {
    throw new UsageError(`"${id}" has ${digits.length} digits; give 8 to 32.`);
  }
  return digits;
};
