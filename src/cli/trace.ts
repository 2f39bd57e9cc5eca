/** `kindling trace ID`: one trace from the store, explained. */
import { DEFAULT_LIMITS, NO_LIMITS, renderTrace } from '../explain/render-trace.js';
import { detectStyle } from '../explain/style.js';
import { explainTrace, readSpans } from '../explain/trace-explanation.js';
import { traceToJson } from '../explain/trace-json.js';
import { type Command, EXIT_OK, UsageError } from './command.js';
import { openStore } from './open-store.js';
import { parsePlainOptions } from './options.js';

const HELP = `Usage: kindling trace TRACE_ID [--json] [--all] [--store DIR]

Prints a trace from the agent's store: why it was slow, its spans on a time axis, and for each span the breakdown of its
time, its longest waits and its hottest stack.

  TRACE_ID      32 hex digits, or the first 8 or more when no other trace begins with them
  --json        the same as JSON
  --all         every span, however many there are
  --store DIR   the store's directory (default: KINDLING_STORE, else the agent's default directory)
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
      help: { type: 'boolean', short: 'h', default: false },
    },
    { atMost: Number.POSITIVE_INFINITY },
  );
  if (values.help) {
    io.out(HELP);
    return EXIT_OK;
  }
  const prefix = parseTraceId(positionals);
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
