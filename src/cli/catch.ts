/** `kindling catch`: asks the running agent for the details of the next spans of some kind. */
import { parseDuration } from '../config/duration.js';
import { MAX_CATCH_MS } from '../control/catch-request.js';
import { askCatch } from '../control/control-client.js';
import { controlSocketPath, isRoot } from '../control/socket-path.js';
import { MAX_CATCH_COUNT } from '../observer/triggers/trigger-types.js';
import { type Command, EXIT_OK, UsageError } from './command.js';
import { parsePlainOptions } from './options.js';

const HELP = `Usage: kindling catch --name NAME [--count N] [--for DURATION]
       kindling catch --trace-id ID [--name NAME] [--count N] [--for DURATION]

Has the running agent tell the next spans in detail: their longest waits and their stacks, whatever the triggers of
trace_profiling say. They have the attribute kindling.trigger = catch.

  --name NAME    a span's name or its request, for example 'GET /cart'; * stands for any characters
  --trace-id ID  spans of this trace (32 hex digits)
  --count N      how many, at most ${MAX_CATCH_COUNT} (default: 1, and that most with --trace-id)
  --for TIME     how long to wait for them, at most 24h (default: 10m)
  --socket PATH  the agent's control socket (default: KINDLING_CONTROL, else the agent's default)
`;

export const catchCommand: Command = async (args, io) => {
  const { values } = parsePlainOptions(
    args,
    {
      name: { type: 'string' },
      'trace-id': { type: 'string' },
      count: { type: 'string' },
      for: { type: 'string', default: '10m' },
      socket: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
    { exactly: 0 },
  );
  if (values.help) {
    io.out(HELP);
    return EXIT_OK;
  }
  const { name, 'trace-id': traceId } = values;
  if (name === undefined && traceId === undefined) {
    throw new UsageError('Which spans? Give --name or --trace-id.');
  }
  if (name === '' || (name?.length ?? 0) > 200) throw new UsageError('--name takes 1 to 200 characters.');
  if (traceId !== undefined && !/^[0-9a-f]{32}$/i.test(traceId)) {
    throw new UsageError(`--trace-id "${traceId}" is not 32 hex digits.`);
  }
  const count = parseCount(values.count, traceId === undefined ? 1 : MAX_CATCH_COUNT);
  const forMs = parseDuration(values.for);
  if (forMs === undefined || forMs < 1 || forMs > MAX_CATCH_MS) {
    throw new UsageError(`--for "${values.for}" is no duration from 1ms to 24h.`);
  }
  const socket = values.socket ?? controlSocketPath(io.env, isRoot());
  const { refused, waiting } = await askCatch(socket, { name, traceId, count, forMs });
  if (refused !== undefined) throw new Error(refused);
  const lines = waiting.map((one) => {
    const what = [one.name, one.traceId && `trace ${one.traceId}`].filter(Boolean).join(' of ');
    return `waiting for ${one.left} of ${what}\n`;
  });
  io.out(lines.join(''));
  return EXIT_OK;
};

function parseCount(text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  const count = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= MAX_CATCH_COUNT) return count;
  throw new UsageError(`--count "${text}" is no number from 1 to ${MAX_CATCH_COUNT}.`);
}
