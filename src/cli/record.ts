import { resolve } from 'node:path';
import { ConfigError } from '../component/errors.js';
import { mergeNodes } from '../config/merge.js';
import { type ConfigNode, fromPlain, nodeAt } from '../config/node.js';
import type { Command } from './command.js';
import { parseRunOptions } from './options.js';
import { runPipelines } from './run.js';

/** Runs as usual; the kernel events are written to a file as well. */
export const recordCommand: Command = async (args, io) => {
  const options = parseRunOptions(args, 1);
  const file = resolve(options.positionals[0]!);
  return runPipelines(options, io, (root) => withRecording(root, file));
};

/** The configuration with `record_to` set on its `ebpf` receiver. */
export function withRecording(root: ConfigNode, file: string): ConfigNode {
  const receivers = nodeAt(root, ['receivers']);
  const ids = receivers?.kind === 'map' ? [...receivers.entries.keys()] : [];
  const [id, ...others] = ids.filter((receiver) => receiver.split('/', 1)[0]?.trim() === 'ebpf');
  if (id === undefined || others.length > 0) {
    throw new ConfigError('record needs a configuration with exactly one "ebpf" receiver');
  }
  const position = { source: `record ${file}`, line: 0, column: 0 };
  return mergeNodes(root, fromPlain({ receivers: { [id]: { record_to: file } } }, position));
}
