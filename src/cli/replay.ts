import { resolve } from 'node:path';
import { ConfigError } from '../component/errors.js';
import { mergeNodes } from '../config/merge.js';
import { type ConfigNode, fromPlain, type Position, toPlain } from '../config/node.js';
import type { Command } from './command.js';
import { parseRunOptions } from './options.js';
import { runPipelines } from './run.js';

/** Runs the configuration with recorded kernel events in place of all its receivers, and ends with the recording. */
export const replayCommand: Command = async (args, io) => {
  const options = parseRunOptions(args, 1);
  const file = resolve(options.positionals[0]!);
  return runPipelines(options, io, (root) => withReplay(root, file));
};

/** Pipelines fed by `ebpf` are fed by `replay`; the others, which nothing would feed, are left out. */
export function withReplay(root: ConfigNode, file: string): ConfigNode {
  const position: Position = { source: `replay ${file}`, line: 0, column: 0 };
  const plain = toPlain(root) as {
    receivers?: Record<string, { url_query?: unknown } | null> | null;
    connectors?: Record<string, unknown> | null;
    service?: { pipelines?: Record<string, { receivers?: unknown } | null> | null } | null;
  };
  const isEbpf = (id: unknown) => typeof id === 'string' && id.split('/', 1)[0] === 'ebpf';
  const connectors = Object.keys(plain.connectors ?? {});
  const pipelines: Record<string, unknown> = {};
  for (const [id, pipeline] of Object.entries(plain.service?.pipelines ?? {})) {
    const receivers = Array.isArray(pipeline?.receivers) ? pipeline.receivers : [];
    const kept: unknown[] = receivers.filter((receiver) => connectors.includes(String(receiver)));
    if (receivers.some(isEbpf)) kept.unshift('replay');
    if (kept.length > 0) pipelines[id] = { ...pipeline, receivers: kept };
  }
  if (!Object.values(pipelines).some((p) => (p as { receivers: unknown[] }).receivers.includes('replay'))) {
    throw new ConfigError('replay needs a pipeline with an "ebpf" receiver, whose place the recording takes');
  }
  const wipe = fromPlain({ receivers: null, service: { pipelines: null } }, position);
  const query = Object.entries(plain.receivers ?? {}).find(([id]) => isEbpf(id))?.[1]?.url_query;
  const replay = { file, ...(query === undefined ? {} : { url_query: query }) };
  const fill = fromPlain({ receivers: { replay }, service: { pipelines } }, position);
  return mergeNodes(mergeNodes(root, wipe), fill);
}
