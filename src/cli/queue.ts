/** `kindling queue inspect DIR`: what the persistent queues in a directory hold. */
import { formatByteSize } from '../config/byte-size.js';
import { findQueues, inspectQueue, type QueueSummary } from '../queue-log/inspect.js';
import { type Command, EXIT_FAILURE, EXIT_OK, UsageError } from './command.js';
import { parsePlainOptions } from './options.js';

const HELP = `Usage: kindling queue inspect DIR [--json]

Tells what the persistent queues in DIR hold: how much waits to be delivered and since when, what is damaged, who uses
them. DIR is the \`directory\` of a \`file_storage\` extension, or one queue in it. Changes nothing; an agent may be running.

  --json   the same as JSON, with each segment file
`;

/** Exit code 0: all good; 1: something is damaged or unreadable. */
export const queueCommand: Command = async (args, io) => {
  const { values, positionals } = parsePlainOptions(
    args,
    { json: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } },
    { atMost: 2 },
  );
  if (values.help) {
    io.out(HELP);
    return EXIT_OK;
  }
  const [verb, directory] = positionals;
  if (verb !== 'inspect' || directory === undefined) throw new UsageError('expected: queue inspect DIR');
  const summaries: QueueSummary[] = [];
  for (const queue of await findQueues(directory)) summaries.push(await inspectQueue(queue));
  if (values.json) io.out(`${JSON.stringify({ queues: summaries }, null, 2)}\n`);
  else if (summaries.length === 0) io.out(`No queues in ${directory}.\n`);
  else io.out(summaries.map(describe).join('\n'));
  return summaries.every(isSound) ? EXIT_OK : EXIT_FAILURE;
};

const isSound = ({ segments, unreadable, damagedNotes }: QueueSummary): boolean =>
  unreadable.length === 0 &&
  damagedNotes === 0 &&
  segments.every(({ damagedRegions }) => damagedRegions === 0);

function describe(queue: QueueSummary): string {
  const damaged = queue.segments.filter(({ damagedRegions }) => damagedRegions > 0);
  const torn = queue.segments.filter(({ tornBytes }) => tornBytes > 0);
  const signals = Object.entries(queue.signals).map(([signal, records]) => `${signal} ${records}`);
  const lines = [
    queue.directory,
    `  used by    ${queue.usedBy === undefined ? 'nobody' : `pid ${queue.usedBy}`}`,
    `  waiting    ${queue.waitingRecords} batches, ${queue.waitingItems} items, ${formatByteSize(queue.waitingBytes)}` +
      (signals.length > 0 ? ` (${signals.join(', ')})` : ''),
    ...(queue.oldest === undefined ? [] : [`  since      ${queue.oldest} to ${queue.newest}`]),
    `  segments   ${queue.segments.length}, ${formatByteSize(queue.segments.reduce((sum, { bytes }) => sum + bytes, 0))}`,
    ...damaged.map(
      ({ file, damagedRegions, damagedBytes, lostItems }) =>
        `  damaged    ${file}: ${damagedRegions} places, ${damagedBytes} bytes, ${lostItems} items known to be lost`,
    ),
    ...torn.map(
      ({ file, tornBytes }) => `  torn       ${file}: ${tornBytes} bytes were not written to their end`,
    ),
    ...(queue.damagedNotes > 0
      ? [`  journals   ${queue.damagedNotes} damaged entries: as many batches may be delivered twice`]
      : []),
    ...queue.unreadable.map((why) => `  unreadable ${why}`),
  ];
  return `${lines.join('\n')}\n`;
}
