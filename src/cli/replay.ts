import { resolve } from 'node:path';
import { isCaptureFile } from '../capture/packet-file.js';
import { ConfigError } from '../component/errors.js';
import { mergeNodes } from '../config/merge.js';
import { type ConfigNode, fromPlain, type Position, toPlain } from '../config/node.js';
import { type Command, UsageError } from './command.js';
import { parseReplayOptions } from './options.js';
import { printCapture } from './replay-capture.js';
import { runPipelines } from './run.js';

/**
 * Runs the configuration with a recording or a capture in place of all its receivers, and ends with it. Without a
 * configuration the exchanges of a capture are printed.
 */
export const replayCommand: Command = async (args, io) => {
  const options = parseReplayOptions(args);
  const { json, side, protocolModules } = options;
  const file = resolve(options.positionals[0]!);
  const capture = await isCaptureFile(file);
  const { uris, sets } = options.sources;
  if (capture && uris.length === 0 && (sets ?? []).length === 0) {
    return printCapture(file, { json, side: side ?? 'client', modules: protocolModules }, io);
  }
  if (json) throw new UsageError('"--json" prints the exchanges of a capture and takes no configuration');
  const more = {
    ...(side === undefined ? {} : { side }),
    ...(protocolModules.length === 0 ? {} : { protocols: { modules: protocolModules } }),
  };
  return runPipelines(options, io, (root) => withReplay(root, file, more));
};

/** Pipelines fed by `ebpf` are fed by `replay`; the others, which nothing would feed, are left out. */
export function withReplay(root: ConfigNode, file: string, more: object = {}): ConfigNode {
  const position: Position = { source: `replay ${file}`, line: 0, column: 0 };
  const plain = toPlain(root) as {
    receivers?: Record<
      string,
      { url_query?: unknown; url_templates?: object | null; protocols?: object } | null
    > | null;
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
  const ebpf = Object.entries(plain.receivers ?? {}).find(([id]) => isEbpf(id))?.[1];
  const replay = {
    file,
    ...(ebpf?.url_query === undefined ? {} : { url_query: ebpf.url_query }),
    ...(ebpf?.url_templates == null ? {} : { url_templates: ebpf.url_templates }),
    ...(ebpf?.protocols == null ? {} : { protocols: ebpf.protocols }),
    ...more,
  };
  const fill = fromPlain({ receivers: { replay }, service: { pipelines } }, position);
  return mergeNodes(mergeNodes(root, wipe), fill);
}
